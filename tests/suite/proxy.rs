//! The proxy by which round trips are counted.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use pgferry_test_support::Proxy;

#[test]
fn it_carries_delays_and_counts() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let target = listener.local_addr()?;
    let echo = thread::spawn(move || -> Result<()> {
        let (mut stream, _) = listener.accept()?;
        let mut buffer = [0; 4];
        while stream.read_exact(&mut buffer).is_ok() {
            stream.write_all(&buffer)?;
        }
        Ok(())
    });
    let delay = Duration::from_millis(30);
    let proxy = Proxy::start(target, delay)?;
    assert_eq!((proxy.connections(), proxy.flights()), (0, 0));

    let mut stream = TcpStream::connect(proxy.address())?;
    let mut buffer = [0; 4];
    for _ in 0..2 {
        let asked = Instant::now();
        stream.write_all(b"fe")?;
        stream.write_all(b"rr")?;
        stream.read_exact(&mut buffer)?;
        assert_eq!(&buffer, b"ferr");
        assert!(asked.elapsed() >= 2 * delay);
    }
    assert_eq!((proxy.connections(), proxy.flights()), (1, 2));

    stream.shutdown(Shutdown::Write)?;
    assert_eq!(stream.read(&mut buffer)?, 0);
    echo.join().expect("no panic")
}

/// Answers on every connection what it was sent.
fn echo() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            thread::spawn(move || {
                let mut buffer = [0; 4];
                while stream.read_exact(&mut buffer).is_ok() && stream.write_all(&buffer).is_ok() {}
            });
        }
    });
    Ok(address)
}

fn asked(stream: &mut TcpStream) -> std::io::Result<usize> {
    stream.write_all(b"ferr")?;
    let mut buffer = [0; 4];
    stream.read(&mut buffer)
}

#[test]
fn it_falls_silent_when_it_is_cut_and_carries_new_connections_when_it_is_mended() -> Result<()> {
    let proxy = Proxy::start(echo()?, Duration::ZERO)?;
    let connect = || -> Result<TcpStream> {
        let stream = TcpStream::connect(proxy.address())?;
        stream.set_read_timeout(Some(Duration::from_millis(200)))?;
        Ok(stream)
    };
    let mut stream = connect()?;
    assert_eq!(asked(&mut stream)?, 4);
    proxy.cut();
    let mut later = connect()?;
    for stream in [&mut stream, &mut later] {
        assert_eq!(asked(stream).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
    proxy.mend();
    assert_eq!(asked(&mut stream).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(asked(&mut connect()?)?, 4);
    Ok(())
}

#[test]
fn it_closes_what_is_open_and_nothing_else() -> Result<()> {
    let proxy = Proxy::start(echo()?, Duration::ZERO)?;
    let mut stream = TcpStream::connect(proxy.address())?;
    assert_eq!(asked(&mut stream)?, 4);
    proxy.close();
    assert_eq!(stream.read(&mut [0; 4])?, 0);
    assert_eq!(asked(&mut TcpStream::connect(proxy.address())?)?, 4);
    Ok(())
}
