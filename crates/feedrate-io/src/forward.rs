//! Transports that are one of two: in clear or encrypted, TCP or Unix.

/// Reads from and writes to whichever it is.
macro_rules! forward {
    (impl $(<$T:ident>)? for $Stream:ty: $stream:ident => $kind:expr; $($variant:pat => $io:expr,)+) => {
        impl $(<$T: ::tokio::io::AsyncRead + ::tokio::io::AsyncWrite + Unpin>)? ::tokio::io::AsyncRead for $Stream {
            fn poll_read(
                self: core::pin::Pin<&mut Self>,
                cx: &mut core::task::Context<'_>,
                buffer: &mut ::tokio::io::ReadBuf<'_>,
            ) -> core::task::Poll<std::io::Result<()>> {
                let $stream = self.get_mut();
                match &mut $kind {
                    $($variant => core::pin::Pin::new(&mut $io).poll_read(cx, buffer),)+
                }
            }
        }

        impl $(<$T: ::tokio::io::AsyncRead + ::tokio::io::AsyncWrite + Unpin>)? ::tokio::io::AsyncWrite for $Stream {
            fn poll_write(
                self: core::pin::Pin<&mut Self>,
                cx: &mut core::task::Context<'_>,
                bytes: &[u8],
            ) -> core::task::Poll<std::io::Result<usize>> {
                let $stream = self.get_mut();
                match &mut $kind {
                    $($variant => core::pin::Pin::new(&mut $io).poll_write(cx, bytes),)+
                }
            }

            fn poll_write_vectored(
                self: core::pin::Pin<&mut Self>,
                cx: &mut core::task::Context<'_>,
                slices: &[std::io::IoSlice<'_>],
            ) -> core::task::Poll<std::io::Result<usize>> {
                let $stream = self.get_mut();
                match &mut $kind {
                    $($variant => core::pin::Pin::new(&mut $io).poll_write_vectored(cx, slices),)+
                }
            }

            fn is_write_vectored(&self) -> bool {
                let $stream = self;
                match &$kind {
                    $($variant => $io.is_write_vectored(),)+
                }
            }

            fn poll_flush(
                self: core::pin::Pin<&mut Self>,
                cx: &mut core::task::Context<'_>,
            ) -> core::task::Poll<std::io::Result<()>> {
                let $stream = self.get_mut();
                match &mut $kind {
                    $($variant => core::pin::Pin::new(&mut $io).poll_flush(cx),)+
                }
            }

            fn poll_shutdown(
                self: core::pin::Pin<&mut Self>,
                cx: &mut core::task::Context<'_>,
            ) -> core::task::Poll<std::io::Result<()>> {
                let $stream = self.get_mut();
                match &mut $kind {
                    $($variant => core::pin::Pin::new(&mut $io).poll_shutdown(cx),)+
                }
            }
        }
    };
}

pub(crate) use forward;
