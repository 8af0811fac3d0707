# ~/.bash_profile: read by login shells

[ -r ~/.bashrc ] && . ~/.bashrc
