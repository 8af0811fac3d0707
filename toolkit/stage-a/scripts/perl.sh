# Modules are linked with libraries in the default directory alone and need no search path.
sed -i 's/if ($self->{LD_RUN_PATH} ne "")/if (0)/' cpan/ExtUtils-MakeMaker/lib/ExtUtils/MM_Unix.pm
grep -q 'if (0)' cpan/ExtUtils-MakeMaker/lib/ExtUtils/MM_Unix.pm
# Nothing of the machine and of the time gets into its configuration.
echo "cf_time='$(date -u -d "@$SOURCE_DATE_EPOCH")'" > config.over
library=/usr/lib/perl5
sh Configure -des -Dprefix=/usr -Dcc=gcc -Doptimize=-O2 -Dlibpth=/usr/lib -Dlocincpth=' ' -Dloclibpth=' ' -Dlibs='-lm' \
  -Darchname=x86_64-linux -Dcf_by=builder -Dcf_email=builder@localhost -Dperladmin=root@localhost -Dmyhostname=localhost -Dmydomain=.localdomain \
  -Dmyuname=linux -Dosvers=0 -Dman1dir=none -Dman3dir=none -Duse64bitint -Uuseshrplib -Ud_crypt -Ui_crypt -Ui_db -Ui_gdbm -Ui_ndbm \
  -Dprivlib=$library/core -Darchlib=$library/core -Dsitelib=$library/site -Dsitearch=$library/site -Dvendorprefix=/usr \
  -Dvendorlib=$library/vendor -Dvendorarch=$library/vendor
make
# Without the manuals.
make install.perl DESTDIR="$OUT"
find "$OUT" -name '*.pod' -delete
