/** Programs and directories that specs refer to. */
export const STANDARD_DIRECTORY_MACROS = String.raw`
%nil %{!?nil}

# Roots of the tree.
%_usr /usr
%_usrsrc %{_usr}/src
%_var /var
%_rpmconfigdir %{getconfdir}
%_rpmmacrodir %{_rpmconfigdir}/macros.d
%_rpmluadir %{_rpmconfigdir}/lua
%_fileattrsdir %{_rpmconfigdir}/fileattrs
%_dbpath %{_var}/lib/rpm
%_tmppath %{_var}/tmp

# Where a build keeps its parts.
%_topdir %{getenv:HOME}/rpmbuild
%_builddir %{_topdir}/BUILD
%_buildrootdir %{_topdir}/BUILDROOT
%_rpmdir %{_topdir}/RPMS
%_sourcedir %{_topdir}/SOURCES
%_specdir %{_topdir}/SPECS
%_srcrpmdir %{_topdir}/SRPMS
%buildroot %{_buildrootdir}/%{NAME}-%{VERSION}-%{RELEASE}.%{_arch}
%_build_name_fmt %%{ARCH}/%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm
%_rpmfilename %{_build_name_fmt}

# Where packages put their files; the platform refines these.
%_prefix /usr
%_exec_prefix %{_prefix}
%_bindir %{_exec_prefix}/bin
%_sbindir %{_exec_prefix}/sbin
%_libexecdir %{_exec_prefix}/libexec
%_datarootdir %{_prefix}/share
%_datadir %{_datarootdir}
%_sysconfdir /etc
%_sharedstatedir /var/lib
%_localstatedir /var
%_lib lib
%_libdir %{_exec_prefix}/%{_lib}
%_includedir %{_prefix}/include
%_oldincludedir /usr/include
%_infodir %{_datarootdir}/info
%_mandir %{_datarootdir}/man
%_iconsdir %{_datarootdir}/icons
%_rundir /run
%_initddir %{_sysconfdir}/rc.d/init.d
%_initrddir %{_initddir}
%_defaultdocdir %{_datadir}/doc
%_defaultlicensedir %{_datadir}/licenses

# Programs.
%__7zip 7za
%__awk gawk
%__bzip2 /usr/bin/bzip2
%__cat /usr/bin/cat
%__chmod /usr/bin/chmod
%__chown /usr/bin/chown
%__cp /usr/bin/cp
%__file /usr/bin/file
%__gem gem
%__git git
%__gpg /usr/bin/gpg2
%__grep /usr/bin/grep
%__gzip /usr/bin/gzip
%__hg hg
%__bzr bzr
%__quilt quilt
%__id /usr/bin/id
%__id_u %{__id} -u
%__install /usr/bin/install
%__ln_s ln -s
%__lrzip lrzip
%__lzip lzip
%__make /usr/bin/make
%__mkdir /usr/bin/mkdir
%__mkdir_p /usr/bin/mkdir -p
%__mv /usr/bin/mv
%__patch /usr/bin/patch
%__rm /usr/bin/rm
%__sed /usr/bin/sed
%__tar /usr/bin/tar
%__unzip /usr/bin/unzip
%__xz /usr/bin/xz
%__zstd /usr/bin/zstd
%__ar ar
%__as as
%__cc gcc
%__cpp gcc -E
%__cxx g++
%__ld /usr/bin/ld
%__objdump /usr/bin/objdump
%__strip /usr/bin/strip
%__rpmuncompress %{_rpmconfigdir}/rpmuncompress
%__find_debuginfo %{_bindir}/find-debuginfo
`;
