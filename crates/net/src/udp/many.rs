//! Datagrams for many destinations in one system call.

use super::{UdpSocket, is_no_buffers, is_unreachable};
use std::cell::Cell;
use std::io;
use std::net::SocketAddr;

/// The most datagrams of one system call.
const MAX_MANY: usize = 32;

impl UdpSocket {
    /// Sends each datagram to its destination, without waiting, and returns how many were taken: all,
    /// or those before the one that found the send buffer full. One that the system refuses for its
    /// own sake (too large, no route) is lost and counts as taken.
    ///
    /// On Linux and with the feature `many` up to 32 of them are one system call; elsewhere each is.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] when not even the first was taken: wait with
    /// [`writable`](Self::writable).
    pub fn try_send_many(&self, datagrams: &[(SocketAddr, &[u8])]) -> io::Result<usize> {
        let mut taken = 0;
        while taken < datagrams.len() {
            match self.send_some(&datagrams[taken..]) {
                Ok(sent) => taken += sent,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => taken += 1,
                Err(_) if taken > 0 => break,
                full => return full,
            }
        }
        Ok(taken)
    }

    /// One system call; the error is that of the first datagram.
    fn send_some(&self, datagrams: &[(SocketAddr, &[u8])]) -> io::Result<usize> {
        let datagrams = &datagrams[..datagrams.len().min(MAX_MANY)];
        let sent = Cell::new(0);
        self.io.try_send(|socket| {
            let result = match system::send(socket, datagrams) {
                // An error of an earlier datagram, told now instead of sending this one.
                Err(error) if is_unreachable(&error) => system::send(socket, datagrams),
                Err(error) if is_no_buffers(&error) => Ok(1),
                other => other,
            };
            sent.set(result?);
            Ok(())
        })?;
        Ok(sent.get())
    }
}

#[cfg(all(feature = "many", target_os = "linux"))]
mod system {
    use super::MAX_MANY;
    use rustix::net::addr::SocketAddrArg;
    use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};
    use smallvec::SmallVec;
    use std::io::{self, IoSlice};
    use std::net::{SocketAddr, UdpSocket};

    pub(super) fn send(socket: &UdpSocket, datagrams: &[(SocketAddr, &[u8])]) -> io::Result<usize> {
        let addresses: SmallVec<[SocketAddrAny; MAX_MANY]> =
            datagrams.iter().map(|(to, _)| to.as_any()).collect();
        let slices: SmallVec<[[IoSlice<'_>; 1]; MAX_MANY]> = datagrams
            .iter()
            .map(|(_, bytes)| [IoSlice::new(bytes)])
            .collect();
        let mut control: SmallVec<[SendAncillaryBuffer<'_, '_, '_>; MAX_MANY]> = datagrams
            .iter()
            .map(|_| SendAncillaryBuffer::default())
            .collect();
        let mut messages: SmallVec<[MMsgHdr<'_>; MAX_MANY]> = addresses
            .iter()
            .zip(&slices)
            .zip(&mut control)
            .map(|((to, slice), control)| MMsgHdr::new_with_addr(to, slice, control))
            .collect();
        Ok(sendmmsg(socket, &mut messages, SendFlags::DONTWAIT)?)
    }
}

#[cfg(not(all(feature = "many", target_os = "linux")))]
mod system {
    use std::io;
    use std::net::{SocketAddr, UdpSocket};

    pub(super) fn send(socket: &UdpSocket, datagrams: &[(SocketAddr, &[u8])]) -> io::Result<usize> {
        for (at, (to, bytes)) in datagrams.iter().enumerate() {
            match socket.send_to(bytes, to) {
                Ok(_) => {}
                Err(_) if at > 0 => return Ok(at),
                Err(error) => return Err(error),
            }
        }
        Ok(datagrams.len())
    }
}
