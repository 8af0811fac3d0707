# ~/.bashrc: read by interactive shells that are not login shells

[ -r /etc/bashrc ] && . /etc/bashrc
