make -C src CC="$TARGET-gcc" AR="$TARGET-ar rcu" RANLIB="$TARGET-ranlib" SYSCFLAGS='-DLUA_USE_LINUX' liblua.a
prefix=$OUT$SYSROOT/usr
install -D -m 0644 -t "$prefix/include" src/lua.h src/luaconf.h src/lualib.h src/lauxlib.h
install -D -m 0644 -t "$prefix/lib" src/liblua.a
