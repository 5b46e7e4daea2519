//! Bytes passed on as they come, by a thread of this process and by another process: the hops of a bridge and a gateway, and
//! nothing else.

use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    thread,
};

use anyhow::{Context, Result};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes},
    net::{TcpListener, TcpStream, UnixListener},
};

/// As much as a bridge reads at once.
const BUFFER: usize = 64 * 1024;

/// A Unix socket of this process before another process before a server.
#[derive(Debug)]
pub(crate) struct Passing {
    directory: TempDir,
    other: Child,
}

impl Passing {
    pub(crate) fn start(server: SocketAddr) -> Result<Self> {
        let mut other = Command::new(env::current_exe()?)
            .args(["pass-on", &server.to_string()])
            // It ends when this one does.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(other.stdout.take().context("no output")?).read_line(&mut line)?;
        let target: SocketAddr = line.trim().parse()?;

        let directory = tempfile::tempdir()?;
        let socket = std::os::unix::net::UnixListener::bind(directory.path().join(".s.PGSQL.5432"))?;
        socket.set_nonblocking(true)?;
        // A thread with a runtime of its own, as a bridge has.
        thread::Builder::new().name("passing".into()).spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let listener = UnixListener::from_std(socket)?;
                loop {
                    let (client, _) = listener.accept().await?;
                    tokio::spawn(pass(client, target));
                }
            })
        })?;
        Ok(Self { directory, other })
    }

    pub(crate) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.other.kill();
        let _ = self.other.wait();
    }
}

/// Where the other process passes bytes on to, if this is that one.
pub(crate) fn target() -> Result<Option<SocketAddr>> {
    let mut arguments = env::args().skip_while(|argument| argument != "pass-on").skip(1);
    Ok(arguments.next().map(|target| target.parse()).transpose()?)
}

/// Is the other process.
pub(crate) async fn serve(target: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", listener.local_addr()?)?;
    out.flush()?;
    drop(out);
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    loop {
        let (client, _) = listener.accept().await?;
        client.set_nodelay(true)?;
        tokio::spawn(pass(client, target));
    }
}

async fn pass(mut client: impl AsyncRead + AsyncWrite + Unpin, target: SocketAddr) -> io::Result<()> {
    let mut server = TcpStream::connect(target).await?;
    server.set_nodelay(true)?;
    copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER, BUFFER).await.map(drop)
}
