use std::{
    future,
    io::{self, Write},
};

use anyhow::Result;
use pgferry_gateway::{Gateway, GatewayConfig};

/// Serves as the command `pgferry gateway` does, with its three lines.
pub(crate) async fn serve(upstream: &str, listen: &str) -> Result<()> {
    let config = GatewayConfig::new(upstream.parse()?).listen(listen.parse()?);
    let gateway = Gateway::bind(config).await?;
    let mut out = io::stdout().lock();
    writeln!(out, "http_url={}\nws_url={}\nDATABASE_URL={upstream}", gateway.http_url(), gateway.ws_url())?;
    out.flush()?;
    drop(out);
    future::pending().await
}
