//! What a client hears of the server when it logs in.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    os::unix::net::UnixStream,
};

use pgferry::bridge::{Address, Bridge, Verification};

use super::Road;
use pgferry_test_support::Stage;

/// Logs in by the bytes of the protocol, and returns the settings that were told before ReadyForQuery.
fn settings(bridge: &Bridge) -> BTreeMap<String, String> {
    let Address::Unix { directory, port } = bridge.address() else { panic!("no Unix socket") };
    let mut stream = UnixStream::connect(directory.join(format!(".s.PGSQL.{port}"))).unwrap();
    let user = bridge.config().get_user().unwrap();
    let startup = [&196_608_u32.to_be_bytes()[..], b"user\0", user.as_bytes(), b"\0\0"].concat();
    let password = [bridge.password().reveal().as_bytes(), b"\0"].concat();
    let mut framed = Vec::new();
    for (tag, body) in [(&b""[..], startup), (b"p", password)] {
        framed.extend_from_slice(tag);
        framed.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
        framed.extend_from_slice(&body);
    }
    stream.write_all(&framed).unwrap();
    let mut told = BTreeMap::new();
    loop {
        let mut head = [0; 5];
        stream.read_exact(&mut head).unwrap();
        let mut body = vec![0; u32::from_be_bytes(head[1..].try_into().unwrap()) as usize - 4];
        stream.read_exact(&mut body).unwrap();
        match head[0] {
            b'S' => {
                let words: Vec<_> =
                    body.split(|&byte| byte == 0).map(|word| String::from_utf8(word.into()).unwrap()).collect();
                told.insert(words[0].clone(), words[1].clone());
            }
            b'Z' => return told,
            b'E' => panic!("{}", String::from_utf8_lossy(&body)),
            _ => {}
        }
    }
}

#[test]
fn it_hears_how_the_server_reads_string_constants() {
    for value in ["on", "off"] {
        let stage = Stage::start();
        let database = stage.database();
        stage.psql(&format!("alter role app in database {database} set standard_conforming_strings = {value}"));
        let bridge = Bridge::start(&Road::Http.config(&stage), Verification::Connect).unwrap();
        let told = settings(&bridge);
        assert_eq!(told["standard_conforming_strings"], value);
        assert_eq!(told["client_encoding"], "UTF8");
    }
}
