//! The server over real sockets, with applications made for the purpose.
