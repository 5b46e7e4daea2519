//! Which certificates of its upstream a gateway takes.

use anyhow::{Context, Result};
use pgferry_gateway::Upstream;
use pgferry_test_support::TestCa;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

#[tokio::test]
async fn the_authority_may_be_named() -> Result<()> {
    let ca = TestCa::new()?;
    let acceptor = TlsAcceptor::from(ca.server_config(["localhost", "127.0.0.1"])?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    // As far as a server that offers TLS says anything before a log-in.
    let server = tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let mut request = [0; 8];
            if tcp.read_exact(&mut request).await.is_ok() && tcp.write_all(b"S").await.is_ok() {
                // The gateway's word on the certificate is what counts.
                let _ = acceptor.accept(tcp).await;
            }
        }
    });
    let file = ca.pem_file().to_str().context("no text")?.to_owned();
    let upstream = |parameters: &str| format!("postgresql://127.0.0.1:{port}/db?{parameters}").parse::<Upstream>();
    upstream(&format!("sslrootcert={file}"))?.check().await?;
    upstream(&format!("sslmode=verify-full&sslrootcert={file}"))?.check().await?;
    for platform in ["sslmode=require", "sslrootcert=system"] {
        let error = upstream(platform)?.check().await.err().context("an unknown authority was trusted")?;
        assert!(error.to_string().contains("TLS"), "{error}");
    }
    server.abort();
    Ok(())
}
