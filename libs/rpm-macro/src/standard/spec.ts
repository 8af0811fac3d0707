/** The language of specs: conditional builds, architecture lists, debug packages, section templates. */
export const STANDARD_SPEC_MACROS = String.raw`
# Conditional builds: --with x defines _with_x; %bcond turns that and a default into with_x.
%defined() %{expand:%%{?%{1}:1}%%{!?%{1}:0}}
%undefined() %{expand:%%{?%{1}:0}%%{!?%{1}:1}}
%with() %{expand:%%{?with_%{1}:1}%%{!?with_%{1}:0}}
%without() %{expand:%%{?with_%{1}:0}%%{!?with_%{1}:1}}
%bcond() %[ (%2) ? "%{expand:%%{!?_without_%{1}:%%global with_%{1} 1}}" : "%{expand:%%{?_with_%{1}:%%global with_%{1} 1}}" ]
%bcond_with() %bcond %{1} 0
%bcond_without() %bcond %{1} 1

# Architectures by family, for %ifarch and ExclusiveArch.
%ix86 i386 i486 i586 i686 pentium3 pentium4 athlon geode
%arm32 armv3l armv4b armv4l armv4tl armv5tl armv5tel armv5tejl armv6l armv6hl armv7l armv7hl armv7hnl armv8l armv8hl armv8hnl armv8hcnl
%arm %{arm32}
%arm64 aarch64
%mips32 mips mipsel mipsr6 mipsr6el
%mips64 mips64 mips64el mips64r6 mips64r6el
%mipseb mips mipsr6 mips64 mips64r6
%mipsel mipsel mipsr6el mips64el mips64r6el
%mips %{mips32} %{mips64}
%sparc sparc sparcv8 sparcv9 sparcv9v sparc64 sparc64v
%alpha alpha alphaev56 alphaev6 alphaev67
%power64 ppc64 ppc64p7 ppc64le
%riscv32 riscv32
%riscv64 riscv64
%riscv128 riscv128
%riscv %{riscv32} %{riscv64} %{riscv128}
%loongarch64 loongarch64

# The marker of a dependency on one architecture: name(x86-64).
%_isa %{?__isa:(%{__isa})}%{!?__isa:%{nil}}

# Packages for debuggers. A distribution calls %debug_package from its own %install.
%_debuginfo_template \
%package debuginfo\
Summary: Debug information for package %{name}\
Group: Development/Debug\
AutoReq: 0\
AutoProv: 1\
%description debuginfo\
What a debugger needs to know about the programs of package %{name}.\
%files debuginfo -f debugfiles.list\
%{nil}
%_debugsource_template \
%package debugsource\
Summary: Debug sources for package %{name}\
Group: Development/Debug\
AutoReqProv: 0\
%description debugsource\
The sources of package %{name}, for use in a debugger.\
%files debugsource -f debugsourcefiles.list\
%{nil}
%debug_package \
%ifnarch noarch\
%global __debug_package 1\
%_debuginfo_template\
%{?_debugsource_packages:%_debugsource_template}\
%endif\
%{nil}

# What a spec may contain and what ends a build.
%_default_patch_fuzz 0
%_default_patch_flags --no-backup-if-mismatch -f
%_changelog_trimage 0
%_changelog_trimtime 0
%source_date_epoch_from_changelog 0
%use_source_date_epoch_as_buildtime 0
%clamp_mtime_to_source_date_epoch 0
%_source_filedigest_algorithm 8
%_binary_filedigest_algorithm 8
%_unpackaged_files_terminate_build 1
%_duplicate_files_terminate_build 0
%_missing_doc_files_terminate_build 1
%_empty_manifest_terminate_build 1
%_binaries_in_noarch_packages_terminate_build 1
%_invalid_encoding_terminates_build 1
%_wrong_version_format_terminate_build 1
%_disable_source_fetch 1
%_build_id_links compat
%_unique_build_ids 1
%_unique_debug_names 1
%_unique_debug_srcs 1
%_use_internal_dependency_generator 1
%_install_langs all
%__docdir_path %{_datadir}/doc:%{_datadir}/man:%{_datadir}/info:%{?_docdir}:%{?_mandir}:%{?_infodir}
%__global_requires_exclude_from %{?_docdir:%{_docdir}}
%__global_provides_exclude_from %{?_docdir:%{_docdir}}
%__check_files %{_rpmconfigdir}/check-files %{buildroot}
%__find_provides %{_rpmconfigdir}/find-provides
%__find_requires %{_rpmconfigdir}/find-requires
%_fixperms %{__chmod} -Rf a+rX,u+w,g-w,o-w
`;
