//! Clients of a bridge that send what no client should: they are answered as a server would, or turned away, and nobody else
//! notices.

mod raw;

use std::{
    fs, panic,
    sync::{
        Mutex, Once,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use pgferry::{
    Transport,
    bridge::{Address, Bridge, Verification},
    config::Describe,
};
use pgferry_test_support::{Postgres, TestGateway};

use raw::{Raw, bind, close, describe, execute, flush, message, parse, query, sync, told};

const TRANSPORTS: [Transport; 3] = [Transport::Http, Transport::WebSocket, Transport::Auto];

/// A server that asks for no password, and so can be spoken to directly, with a gateway and a bridge before it.
struct Scene {
    postgres: Postgres,
    _gateway: TestGateway,
    bridge: Bridge,
}

impl Scene {
    fn over(transport: Transport) -> Self {
        Self::describing(transport, Describe::Late)
    }

    fn describing(transport: Transport, describe: Describe) -> Self {
        watch_panics();
        let postgres = Postgres::builder().hba("host all all 127.0.0.1/32 trust").start().unwrap();
        let gateway = TestGateway::start(&postgres).unwrap();
        let config: pgferry::Config = gateway.ferry(&postgres.url()).parse().unwrap();
        let bridge =
            Bridge::start(&config.transport(transport).describe(describe), Verification::FirstStatement).unwrap();
        Self { postgres, _gateway: gateway, bridge }
    }

    fn connect(&self) -> Raw {
        match self.bridge.address() {
            Address::Unix { directory, port } => Raw::unix(directory, *port),
            Address::Tcp(address) => Raw::tcp(address.port()),
            other => panic!("{other:?}"),
        }
    }

    fn client(&self) -> Raw {
        self.connect().log_in("app", self.bridge.password().reveal())
    }

    fn direct(&self) -> Raw {
        Raw::tcp(self.postgres.port()).log_in("app", "")
    }

    /// Fails unless a client that behaves gets its own answers.
    fn expect_service(&self, what: &str) {
        let mut client = self.client();
        for number in 0..5 {
            let text = format!("select {number} + 1000");
            client.send(&query(&text));
            assert_eq!(told(&client.until_ready(1)), format!("T D({}) C(SELECT 1) Z(I)", number + 1000), "{what}");
            client.send(&[parse("", &text, &[]), bind("", "", &[]), execute("", 0), sync()].concat());
            assert_eq!(told(&client.until_ready(1)), format!("1 2 D({}) C(SELECT 1) Z(I)", number + 1000), "{what}");
        }
        expect_no_panic(what);
    }
}

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Notes panics of the project's own code, which otherwise end a task and nothing else.
fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let given = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if info.location().is_some_and(|location| !location.file().contains("tests/")) {
                PANICS.lock().unwrap().push(info.to_string());
            }
            given(info);
        }));
    });
}

#[track_caller]
fn expect_no_panic(what: &str) {
    let panics = PANICS.lock().unwrap();
    assert!(panics.is_empty(), "{what}: {panics:?}");
}

/// What a client may send in another order than is usual, or to no purpose; each ends with as many Syncs and queries as said.
fn odd_but_legal() -> Vec<(&'static str, usize, Vec<u8>)> {
    let selected = parse("", "select $1::int4 + 1", &[23]);
    vec![
        ("an unknown statement", 1, [bind("", "nobody", &[]), execute("", 0), sync()].concat()),
        ("an unknown portal", 1, [execute("nobody", 0), sync()].concat()),
        ("an unknown statement described", 1, [describe(b'S', "nobody"), sync()].concat()),
        ("an unknown portal described", 1, [describe(b'P', "nobody"), sync()].concat()),
        ("unknown ones closed", 1, [close(b'S', "nobody"), close(b'P', "nobody"), sync()].concat()),
        ("nothing but Syncs", 5, sync().repeat(5)),
        ("Flush", 1, [flush(), flush(), sync()].concat()),
        ("what follows an error", 2, [execute("x", 0), parse("", "select 1", &[]), sync(), query("select 2")].concat()),
        (
            "a COPY's messages without a COPY",
            1,
            [message(b'd', b"x"), message(b'c', b""), message(b'f', b"x\0"), sync()].concat(),
        ),
        ("too few parameters", 1, [selected.clone(), bind("", "", &[]), execute("", 0), sync()].concat()),
        ("too many parameters", 1, [selected.clone(), bind("", "", &["1", "2"]), execute("", 0), sync()].concat()),
        ("a parameter that is none", 1, [selected.clone(), bind("", "", &["x"]), execute("", 0), sync()].concat()),
        ("a statement twice", 2, [parse("s", "select 1", &[]), sync(), parse("s", "select 2", &[]), sync()].concat()),
        ("the first of it", 1, [bind("", "s", &[]), execute("", 0), sync()].concat()),
        ("it closed", 2, [close(b'S', "s"), sync(), bind("", "s", &[]), sync()].concat()),
        (
            "a portal run twice",
            1,
            [parse("", "select 1", &[]), bind("", "", &[]), execute("", 0), execute("", 0), sync()].concat(),
        ),
        ("a bad statement", 2, [parse("", "selec 1", &[]), sync(), query("selec 1")].concat()),
        ("two statements in one", 1, [parse("", "select 1; select 2", &[]), sync()].concat()),
        ("an empty statement", 2, [parse("", "", &[]), bind("", "", &[]), execute("", 0), sync(), query("")].concat()),
        (
            "a portal after its transaction",
            2,
            [parse("", "select 1", &[]), bind("p", "", &[]), sync(), execute("p", 0), sync()].concat(),
        ),
        (
            "several in one flight",
            1,
            [
                parse("a", "select 'a'", &[]),
                bind("", "a", &[]),
                execute("", 0),
                parse("b", "select 'b'", &[]),
                bind("", "b", &[]),
                execute("", 0),
                sync(),
            ]
            .concat(),
        ),
        (
            "a failure between others",
            1,
            [
                parse("", "select 'c'", &[]),
                bind("", "", &[]),
                execute("", 0),
                parse("", "select 1 / 0", &[]),
                bind("", "", &[]),
                execute("", 0),
                parse("", "select 'd'", &[]),
                bind("", "", &[]),
                execute("", 0),
                sync(),
            ]
            .concat(),
        ),
        (
            "queries in one flight",
            3,
            [query("select 1"), query("select 2; select 3"), query("select 1 / 0; select 4")].concat(),
        ),
        (
            "a query behind what waits for a Sync",
            2,
            [parse("", "select 1", &[]), bind("", "", &[]), execute("", 0), query("select 5"), sync()].concat(),
        ),
        (
            "a transaction in pieces",
            4,
            [
                query("begin"),
                parse("", "select 6", &[]),
                bind("", "", &[]),
                execute("", 0),
                sync(),
                query("selec"),
                query("rollback"),
            ]
            .concat(),
        ),
    ]
}

/// Whether sent at once or byte by byte.
fn sent(client: &mut Raw, bytes: &[u8], piece: usize) {
    for piece in bytes.chunks(piece) {
        client.send(piece);
    }
}

#[test]
fn what_is_odd_but_legal_is_answered_as_by_a_server() {
    for (transport, describe) in TRANSPORTS
        .map(|transport| (transport, Describe::Always))
        .into_iter()
        .chain(TRANSPORTS.map(|transport| (transport, Describe::Late)))
    {
        let scene = Scene::describing(transport, describe);
        for piece in [usize::MAX, 7] {
            let (mut client, mut direct) = (scene.client(), scene.direct());
            for (what, count, bytes) in odd_but_legal() {
                sent(&mut client, &bytes, piece);
                direct.send(&bytes);
                let (told, expected) = (told(&client.until_ready(count)), told(&direct.until_ready(count)));
                if transport == Transport::Http || describe == Describe::Late {
                    // What is refused, or told later, differs; that everything is answered, and once, does not.
                    assert_eq!(told.matches("Z(").count(), count, "{what}: {told}");
                    continue;
                }
                assert_eq!(told, expected, "{transport:?}, {what}");
            }
        }
        scene.expect_service("afterwards");
    }
}

/// Messages that are malformed, after which a server ends the connection or goes on with an error.
fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    let claims = |tag: u8, length: u32, body: &[u8]| [&[tag][..], &length.to_be_bytes(), body].concat();
    vec![
        ("an unknown message", message(b'y', b"what?")),
        ("a zero byte for a message", vec![0; 64]),
        ("a length below its own", claims(b'Q', 3, b"")),
        ("no length", claims(b'Q', 0, b"select 1\0")),
        ("a length over a gigabyte", claims(b'Q', u32::MAX, b"select 1\0")),
        ("a negative length", claims(b'P', 1 << 31, b"\0")),
        ("a text without an end", message(b'Q', b"select 1")),
        ("an empty query message", message(b'Q', b"")),
        ("a text that is not UTF-8", message(b'Q', b"select '\xff\xfe'\0")),
        ("a Parse without types", message(b'P', b"\0select 1\0")),
        ("a Parse that lies about its types", message(b'P', b"\0select 1\0\xff\xff")),
        ("a Bind that lies about its parameters", message(b'B', b"\0\0\0\0\xff\xff")),
        ("a Bind with a parameter of two gigabytes", message(b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xff")),
        ("a Bind with a format that is none", message(b'B', b"\0\0\0\x01\x00\x07\0\0\0\0")),
        ("a Describe of something else", message(b'D', b"Xname\0")),
        ("a Close of nothing", message(b'C', b"")),
        ("an Execute without a count", message(b'E', b"\0")),
        ("a Sync with a body", message(b'S', b"body")),
        ("a password", message(b'p', b"password\0")),
        ("a startup", [&[0, 0, 0, 8][..], &80_877_103_u32.to_be_bytes()].concat()),
        ("a function call", message(b'F', &[0; 14])),
        ("an HTTP request", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
    ]
}

#[test]
fn what_is_malformed_ends_no_connection_but_its_own() {
    for transport in TRANSPORTS {
        let scene = Scene::over(transport);
        let mut neighbour = scene.client();
        for (what, bytes) in malformed() {
            let what = format!("{transport:?}, {what}");
            for before in [Vec::new(), query("select 1"), [parse("x", "select 1", &[]), sync()].concat()] {
                let mut client = scene.client();
                client.send(&[before, bytes.clone(), sync()].concat());
                client.end();
                // It is answered, or closed; what comes is Postgres's protocol.
                while client.next().is_some() {}
            }
            neighbour.send(&query("select 'mine'"));
            assert_eq!(told(&neighbour.until_ready(1)), "T D(mine) C(SELECT 1) Z(I)", "{what}");
            expect_no_panic(&what);
        }
        scene.expect_service("afterwards");
    }
}

#[test]
fn noise_is_survived() {
    let seed = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0_u8);
    for transport in TRANSPORTS {
        let scene = Scene::over(transport);
        for round in 0..30 {
            let what = format!("{transport:?}, seed {seed}, round {round}");
            let mut noise = Noise(seed ^ round);
            let mut client = scene.client();
            for _ in 0..20 {
                // Mostly messages that are nearly right, so that it gets further than to the first header.
                let body: Vec<u8> = (0..noise.next() % 40).map(|_| noise.next() as u8 % 8 * 16).collect();
                let bytes = match noise.next() % 10 {
                    0 => body,
                    1 => message(noise.next() as u8, &body),
                    2 => bind("", "", &["1"]),
                    3 => [parse("", "select $1::int4", &[23]), describe(b'S', ""), sync()].concat(),
                    4 => query("begin; select 1"),
                    5 => sync(),
                    _ => message(b"PBDEQSHCXdcf"[noise.next() as usize % 12], &body),
                };
                client.send(&bytes);
            }
            client.end();
            while client.next().is_some() {}
            expect_no_panic(&what);
        }
        scene.expect_service("afterwards");
    }
}

/// SplitMix64.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[test]
fn a_length_alone_takes_no_memory() {
    for transport in TRANSPORTS {
        let scene = Scene::over(transport);
        scene.expect_service("before");
        let before = resident();
        let clients: Vec<Raw> = (0..50)
            .map(|index| {
                let mut client = scene.client();
                let tag = b"QPBd"[index % 4];
                // The largest that a server takes, of which a little comes.
                client.send(&[&[tag][..], &0x3fff_ffff_u32.to_be_bytes(), &[b'x'; 1000]].concat());
                client
            })
            .collect();
        scene.expect_service("meanwhile");
        let grown = resident().saturating_sub(before);
        // Of 50 GB that were announced.
        assert!(grown < 512 << 20, "{transport:?}: {grown} bytes");
        drop(clients);
        scene.expect_service("afterwards");
    }
}

/// The process's memory in bytes; 0 where nobody tells.
fn resident() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").ok();
    pages.and_then(|line| line.split(' ').nth(1)?.parse::<usize>().ok()).unwrap_or(0) * 4096
}

#[test]
fn a_flood_is_answered_in_full_and_stops_nobody() {
    const FLOOD: usize = 20_000;
    for transport in TRANSPORTS {
        let scene = Scene::over(transport);
        let mut client = scene.client();
        let mut writer = client.another();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..FLOOD / 1000 {
                    writer.send(&sync().repeat(1000));
                }
                done.store(true, Ordering::Relaxed);
            });
            // Nothing is read of the answers for a while.
            thread::sleep(Duration::from_millis(200));
            scene.expect_service("meanwhile");
            let answers = client.until_ready(FLOOD);
            assert_eq!(answers.len(), FLOOD, "{transport:?}");
        });
        assert!(done.into_inner());
        client.send(&query("select 'still here'"));
        assert_eq!(told(&client.until_ready(1)), "T D(still here) C(SELECT 1) Z(I)", "{transport:?}");
        expect_no_panic("a flood");
    }
}

#[test]
fn half_a_message_keeps_nobody_waiting() {
    for transport in TRANSPORTS {
        let scene = Scene::over(transport);
        let whole = [parse("", "select 1", &[]), bind("", "", &[]), execute("", 0), sync()].concat();
        let held: Vec<Raw> = (0..whole.len())
            .map(|length| {
                let mut client = scene.client();
                client.send(&whole[..length]);
                client
            })
            .collect();
        scene.expect_service("beside them");
        for (length, mut client) in held.into_iter().enumerate() {
            if length % 2 == 0 {
                client.send(&whole[length..]);
                assert_eq!(told(&client.until_ready(1)), "1 2 D(1) C(SELECT 1) Z(I)", "{transport:?}, {length}");
            }
        }
        scene.expect_service("after them");
    }
}

#[test]
fn before_the_log_in_nothing_is_served() {
    let scene = Scene::over(Transport::Http);
    let startup = |body: &[u8]| [&(body.len() as u32 + 4).to_be_bytes()[..], body].concat();
    let version = 196_608_u32.to_be_bytes();
    for (what, bytes) in [
        ("no length", vec![0; 8]),
        ("a gigabyte", vec![0x40, 0, 0, 0, 0, 3, 0, 0]),
        ("an unknown protocol", startup(&[&9_u32.to_be_bytes()[..], b"user\0app\0\0"].concat())),
        ("parameters without an end", startup(&[&version[..], b"user\0app"].concat())),
        ("no user", startup(&[&version[..], b"\0"].concat())),
        ("a query", query("select 1")),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("a cancel request that is cut short", startup(&80_877_102_u32.to_be_bytes())),
        ("SSL without an end", startup(&80_877_103_u32.to_be_bytes()).repeat(1000)),
        ("no password", [startup(&[&version[..], b"user\0app\0\0"].concat()), query("select 1")].concat()),
        (
            "an empty password",
            [startup(&[&version[..], b"user\0app\0\0"].concat()), message(b'p', b"\0"), query("select 1")].concat(),
        ),
        (
            "a long password",
            [startup(&[&version[..], b"user\0app\0\0"].concat()), message(b'p', &[b'x'; 1 << 20])].concat(),
        ),
    ] {
        let mut client = scene.connect();
        client.send(&bytes);
        client.end();
        while let Some(answer) = client.raw_byte() {
            assert!(answer != b'Z' && answer != b'D', "{what}");
            if answer != b'N' {
                break;
            }
        }
        drop(client);
        expect_no_panic(what);
    }
    scene.expect_service("afterwards");
}
