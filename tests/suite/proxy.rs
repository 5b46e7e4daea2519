//! The proxy by which round trips are counted.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
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
