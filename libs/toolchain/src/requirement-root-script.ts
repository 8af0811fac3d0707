/** What is run once in the root of a set of Debian packages instead of their maintainer scripts and triggers. */

/**
 * Standard input: `<rule> <path>` of the files that answer capabilities, `shared <path>` of shared libraries. Writes /kiln/facts/provides and
 * /kiln/facts/libraries with rpm's own generators, and caches of programs below /kiln/root.
 */
export const FINISH_SCRIPT = `
set -uo pipefail
out=/kiln/root facts=/kiln/facts work=$(mktemp -d)
for kind in pkgconfig perl python library shared; do : > $work/$kind; done
while read -r rule path; do if [ -f $work/$rule ]; then printf '%s\\n' "$path" >> $work/$rule; fi; done
: > $facts/provides
/usr/lib/rpm/pkgconfigdeps.sh --provides < $work/pkgconfig >> $facts/provides 2> /dev/null
if [ -s $work/perl ]; then /usr/lib/rpm/perl.prov < $work/perl >> $facts/provides 2> /dev/null; fi
if [ -s $work/python ]; then /usr/lib/rpm/pythondistdeps.py --provides --majorver-provides < $work/python >> $facts/provides 2> /dev/null; fi
if [ -s $work/library ]; then /usr/lib/rpm/elfdeps --provides < $work/library >> $facts/provides 2> /dev/null; fi
/usr/lib/rpm/elfdeps --provides < $work/shared > $facts/libraries 2> /dev/null

has() { command -v "$1" > /dev/null; }
libraries=/usr/lib/x86_64-linux-gnu
schemas=/usr/share/glib-2.0/schemas
if [ -d $schemas ] && [ -x $libraries/glib-2.0/glib-compile-schemas ]; then
  mkdir -p $out$schemas && $libraries/glib-2.0/glib-compile-schemas --targetdir=$out$schemas $schemas > /dev/null 2>&1
fi
if has update-mime-database; then
  mkdir -p $out/usr/share && cp -r /usr/share/mime $out/usr/share/ && update-mime-database $out/usr/share/mime > /dev/null 2>&1
fi
loaders=$libraries/gdk-pixbuf-2.0
if [ -x $loaders/gdk-pixbuf-query-loaders ]; then
  mkdir -p $out$loaders/2.10.0 && $loaders/gdk-pixbuf-query-loaders > $out$loaders/2.10.0/loaders.cache 2> /dev/null
fi
if [ -d /usr/share/ca-certificates ]; then
  mkdir -p $out/etc/ssl/certs && find /usr/share/ca-certificates -name '*.crt' -print0 | sort -z | xargs -0 cat > $out/etc/ssl/certs/ca-certificates.crt
fi
if [ -d /usr/share/fontconfig/conf.avail ]; then
  mkdir -p $out/etc/fonts/conf.d
  for each in /usr/share/fontconfig/conf.avail/*.conf; do ln -sf "$each" $out/etc/fonts/conf.d/; done
fi
# Debian's service manager still names its directories without /usr.
for name in systemd udev; do
  file=/usr/share/pkgconfig/$name.pc
  if [ -f $file ]; then
    mkdir -p $out/usr/share/pkgconfig
    sed -E 's#^root_prefix=/?$#root_prefix=/usr#; s#=/lib/#=/usr/lib/#' $file > $out$file
  fi
done
# Elsewhere a compiler has the name of its own target, which configure scripts are given as their host.
target=x86_64-pc-linux-gnu
mkdir -p $out/usr/bin
for name in gcc g++ c++ gfortran gcc-ar gcc-nm gcc-ranlib; do
  if has $name && ! has $target-$name; then ln -s $name $out/usr/bin/$target-$name; fi
done
# Configure scripts look for the directory of mail; one without a mailbox would be in no layer.
if [ ! -e /var/mail ]; then mkdir -p $out/var/spool/mail && ln -s spool/mail $out/var/mail && : > $out/var/spool/mail/root; fi
if has openjade && ! has jade; then ln -s openjade $out/usr/bin/jade; fi
# Gems are installed where packages install files, and that directory is the last one that is searched.
gems=/usr/lib/ruby/vendor_ruby/rubygems/defaults/operating_system.rb
if [ -f $gems ]; then
  mkdir -p $out/usr/lib/ruby/vendor_ruby/rubygems/defaults
  cat $gems - > $out$gems << 'RUBY'

class << Gem
  def default_dir = upstream_default_dir
  def default_bindir = '/usr/bin'
  alias paths_of_debian default_path
  def default_path = paths_of_debian - [default_dir] + [default_dir]
end
RUBY
fi
rm -rf "$work"
exit 0
`;
