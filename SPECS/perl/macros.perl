# Directories for the modules of packages.
%perl_vendorlib         %{_datadir}/perl5/vendor_perl
%perl_vendorarch        %{_libdir}/perl5/vendor_perl
%perl_privlib           %{_datadir}/perl5
%perl_archlib           %{_libdir}/perl5

# Removes what only the installation of a single module needs.
%perl_remove_install_files \
  find %{buildroot} -type f '(' -name .packlist -o -name perllocal.pod -o -name '*.bs' -size 0 ')' -delete\
%{nil}
