//! The operating system, for Muon: batched UDP sockets and network interfaces on tokio
