/** What a build runs: the frame of its scripts, %configure, %make_build, %find_lang and their like. */

const SECTIONS = ['prep', 'buildrequires', 'conf', 'build', 'install', 'check', 'clean', 'rmbuild'];

export const STANDARD_BUILD_MACROS = String.raw`
%_buildshell /bin/sh
%___build_shell %{?_buildshell:%{_buildshell}}%{!?_buildshell:/bin/sh}
%___build_args -e
%___build_cmd %{___build_shell} %{___build_args}
%___build_pre_env \
  RPM_SOURCE_DIR=\"%{_sourcedir}\"\
  RPM_BUILD_DIR=\"%{_builddir}\"\
  RPM_OPT_FLAGS=\"%{optflags}\"\
  RPM_ARCH=\"%{_arch}\"\
  RPM_OS=\"%{_os}\"\
  RPM_BUILD_NCPUS=\"%{_smp_build_ncpus}\"\
  RPM_DOC_DIR=\"%{_docdir}\"\
  RPM_PACKAGE_NAME=\"%{NAME}\"\
  RPM_PACKAGE_VERSION=\"%{VERSION}\"\
  RPM_PACKAGE_RELEASE=\"%{RELEASE}\"\
  LANG=C\
  export RPM_SOURCE_DIR RPM_BUILD_DIR RPM_OPT_FLAGS RPM_ARCH RPM_OS RPM_BUILD_NCPUS RPM_DOC_DIR\
  export RPM_PACKAGE_NAME RPM_PACKAGE_VERSION RPM_PACKAGE_RELEASE LANG\
  unset CDPATH DISPLAY DEBUGINFOD_URLS ||:\
  %{?buildroot:RPM_BUILD_ROOT=\"%{buildroot}\"\
  export RPM_BUILD_ROOT}\
  PKG_CONFIG_PATH=\"${'${'}PKG_CONFIG_PATH}:%{_libdir}/pkgconfig:%{_datadir}/pkgconfig\"\
  export PKG_CONFIG_PATH
%___build_pre \
  %{___build_pre_env}\
  %[%{verbose}?"set -x":""]\
  umask 022\
  cd \"%{_builddir}\"
%___build_template #!%{___build_shell}\
%{___build_pre}\
%{nil}
%___build_post \
  RPM_EC=$?\
  for pid in $(jobs -p); do kill -9 ${'${'}pid} || continue; done\
  exit ${'${'}RPM_EC}\
%{nil}
${SECTIONS.map(
  (section) => String.raw`
%__spec_${section}_shell %{___build_shell}
%__spec_${section}_args %{___build_args}
%__spec_${section}_cmd %{___build_cmd}
%__spec_${section}_pre %{___build_pre}
%__spec_${section}_post %{___build_post}
%__spec_${section}_template #!%{__spec_${section}_shell}\
%{__spec_${section}_pre}\
%{nil}
`,
).join('')}
%__debug_install_post \
  %{__find_debuginfo} %{?_smp_build_ncpus:-j%{_smp_build_ncpus}} %{?_find_debuginfo_opts} "%{_builddir}/%{?buildsubdir}"\
%{nil}
%__spec_install_pre %{___build_pre}\
  %{__rm} -rf "%{buildroot}"\
  %{__mkdir_p} "%{dirname:%{buildroot}}"\
  %{__mkdir} "%{buildroot}"\
%{nil}
%__arch_install_post %{nil}
%__brp_compress %{_rpmconfigdir}/brp-compress %{?_prefix}
%__brp_elfperms %{_rpmconfigdir}/brp-elfperms
%__brp_strip %{_rpmconfigdir}/brp-strip %{__strip}
%__brp_strip_static_archive %{_rpmconfigdir}/brp-strip-static-archive %{__strip}
%__brp_strip_comment_note %{_rpmconfigdir}/brp-strip-comment-note %{__strip} %{__objdump}
%__brp_remove_la_files %{_rpmconfigdir}/brp-remove-la-files
%__os_install_post \
  %{?__brp_compress}\
  %{?__brp_elfperms}\
  %{?__brp_strip}\
  %{?__brp_strip_static_archive}\
  %{?__brp_strip_comment_note}\
  %{?__brp_remove_la_files}\
%{nil}
%__spec_install_post \
  %{?__debug_package:%{__debug_install_post}}\
  %{__arch_install_post}\
  %{__os_install_post}\
%{nil}

# Parallel builds: the sandbox says how many processors there are.
%_smp_build_ncpus %{getncpus}
%_smp_build_nthreads %{_smp_build_ncpus}
%_smp_mflags -j${'${'}RPM_BUILD_NCPUS}

%build_cflags %{optflags}
%build_cxxflags %{optflags}
%build_fflags %{optflags} %{?_fmoddir:-I%{_fmoddir}}
%set_build_flags \
  CFLAGS="${'${'}CFLAGS:-%{?build_cflags}}" ; export CFLAGS ; \
  CXXFLAGS="${'${'}CXXFLAGS:-%{?build_cxxflags}}" ; export CXXFLAGS ; \
  FFLAGS="${'${'}FFLAGS:-%{?build_fflags}}" ; export FFLAGS ; \
  FCFLAGS="${'${'}FCFLAGS:-%{?build_fflags}}" ; export FCFLAGS ; \
  LDFLAGS="${'${'}LDFLAGS:-%{?build_ldflags}}" ; export LDFLAGS
%_configure ./configure
%configure \
  %{set_build_flags}; \
  %{_configure} --build=%{_build} --host=%{_host} --program-prefix=%{?_program_prefix} --disable-dependency-tracking \\\
    --prefix=%{_prefix} --exec-prefix=%{_exec_prefix} --bindir=%{_bindir} --sbindir=%{_sbindir} \\\
    --sysconfdir=%{_sysconfdir} --datadir=%{_datadir} --includedir=%{_includedir} --libdir=%{_libdir} \\\
    --libexecdir=%{_libexecdir} --localstatedir=%{_localstatedir} --sharedstatedir=%{_sharedstatedir} \\\
    --mandir=%{_mandir} --infodir=%{_infodir}
%_make_output_sync -O
%_make_verbose V=1 VERBOSE=1
%make_build %{__make} %{_make_output_sync} %{?_smp_mflags} %{_make_verbose}
%make_install %{__make} install DESTDIR=%{?buildroot} INSTALL="%{__install} -p"
%makeinstall \
  %{__make} install prefix=%{?buildroot}%{_prefix} exec_prefix=%{?buildroot}%{_exec_prefix} \\\
    bindir=%{?buildroot}%{_bindir} sbindir=%{?buildroot}%{_sbindir} sysconfdir=%{?buildroot}%{_sysconfdir} \\\
    datadir=%{?buildroot}%{_datadir} includedir=%{?buildroot}%{_includedir} libdir=%{?buildroot}%{_libdir} \\\
    libexecdir=%{?buildroot}%{_libexecdir} localstatedir=%{?buildroot}%{_localstatedir} \\\
    sharedstatedir=%{?buildroot}%{_sharedstatedir} mandir=%{?buildroot}%{_mandir} infodir=%{?buildroot}%{_infodir}
%find_lang %{_rpmconfigdir}/find-lang.sh %{buildroot}
`;
