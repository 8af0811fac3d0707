# ~/.bash_logout: read when a login shell ends
