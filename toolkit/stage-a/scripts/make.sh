# The manual was taken out of the tarball.
sed -i '/^SUBDIRS =/s/ doc$//; /^man_MANS =/s/=.*/=/' Makefile.in
sed -i '/^ac_config_files=/s, doc/Makefile,,' configure
configure_and_make
install_made
