//! What a statement's name stands for, whatever becomes of the session that knows it.

use std::time::{Duration, Instant};

use pgferry::{
    Transport,
    bridge::{Address, Bridge, Verification},
};

use super::raw_client::{Message, RawClient, bind, close, describe, execute, parse, query, sync};
use pgferry_test_support::Stage;

/// Longer than an idle session is kept, by much more than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(40);

const VISITOR: &str = "visitor";

fn start(stage: &Stage, transport: Transport) -> Bridge {
    Bridge::start(&stage.config().transport(transport), Verification::Connect).unwrap()
}

/// Connects with what sqlx asks for too, so that statements are answered as sqlx's are.
fn connect(bridge: &Bridge) -> RawClient {
    let Address::Unix { directory, port } = bridge.address() else { panic!("no Unix socket") };
    let socket = directory.join(format!(".s.PGSQL.{port}"));
    let database = bridge.config().get_dbname().unwrap().to_owned();
    let settings = [
        ["user", "app"],
        ["database", &database],
        ["application_name", VISITOR],
        ["DateStyle", "ISO, MDY"],
        ["client_encoding", "UTF8"],
        ["TimeZone", "UTC"],
    ];
    RawClient::connect_with(&socket, &settings.concat(), Some(bridge.password().reveal()))
}

/// Sends messages up to one ReadyForQuery, and expects no error.
fn succeed(client: &mut RawClient, messages: &[Message]) -> Vec<Message> {
    client.send(messages);
    let answer = client.answer();
    let error = answer.iter().find(|(tag, _)| *tag == b'E');
    assert!(error.is_none(), "{:?}", error.map(|(_, body)| String::from_utf8_lossy(body).into_owned()));
    answer
}

/// The only value that a statement gives, in text.
fn value(client: &mut RawClient, name: &str, params: &[&str]) -> String {
    let answer = succeed(client, &[bind("", name, params, &[]), execute("", 0), sync()]);
    let (_, row) = answer.iter().find(|(tag, _)| *tag == b'D').unwrap();
    // A count of one column and the value's length come before it.
    String::from_utf8(row[6..].to_vec()).unwrap()
}

fn wait_until_no_session_is_left(stage: &Stage) {
    let since = Instant::now();
    let count = format!("select count(*) from pg_stat_activity where application_name = '{VISITOR}'");
    while stage.psql(&count) != "0" {
        assert!(since.elapsed() < PATIENCE, "the session is still there");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_name_that_is_parsed_again_stands_for_the_new_text() {
    for transport in [Transport::WebSocket, Transport::Auto] {
        let stage = Stage::start();
        let bridge = start(&stage, transport);
        for end in ["discard all", "deallocate all", "deallocate s"] {
            let mut client = connect(&bridge);
            succeed(&mut client, &[parse("s", "select 'old'", &[]), sync()]);
            assert_eq!(value(&mut client, "s", &[]), "old", "{transport}, {end}");
            // From here on, on Auto, there is a session, which is to know the name as well.
            succeed(&mut client, &[query("begin")]);
            assert_eq!(value(&mut client, "s", &[]), "old", "{transport}, {end}");
            succeed(&mut client, &[query("commit")]);
            succeed(&mut client, &[query(end)]);
            succeed(&mut client, &[parse("s", "select 'new'", &[]), sync()]);
            assert_eq!(value(&mut client, "s", &[]), "new", "{transport}, {end}");
            // Something may be left of the others.
            if transport == Transport::Auto && end == "discard all" {
                wait_until_no_session_is_left(&stage);
                assert_eq!(value(&mut client, "s", &[]), "new", "{end}, without the session");
                succeed(&mut client, &[query("begin")]);
                assert_eq!(value(&mut client, "s", &[]), "new", "{end}, in another session");
            }
        }
    }
}

#[test]
fn what_is_discarded_is_there_no_more() {
    for transport in [Transport::WebSocket, Transport::Auto] {
        let stage = Stage::start();
        let bridge = start(&stage, transport);
        let mut client = connect(&bridge);
        succeed(&mut client, &[parse("sent", "select 1", &[]), sync()]);
        assert_eq!(value(&mut client, "sent", &[]), "1", "{transport}");
        succeed(&mut client, &[parse("unsent", "select 2", &[]), sync()]);
        succeed(&mut client, &[query("discard all")]);
        for name in ["sent", "unsent"] {
            client.send(&[bind("", name, &[], &[]), execute("", 0), sync()]);
            let answer = client.answer();
            let (tag, body) = &answer[0];
            let body = String::from_utf8_lossy(body);
            assert!(*tag == b'E' && body.contains("C26000"), "{transport}, {name}: {body}");
        }
    }
}

/// A close that waits for the next flight comes before whatever takes the name.
#[test]
fn a_name_that_is_closed_and_parsed_again_is_taken() {
    let stage = Stage::start();
    stage.psql("grant all on schema public to public");
    let bridge = start(&stage, Transport::WebSocket);
    let (mut client, mut other) = (connect(&bridge), connect(&bridge));
    for round in 0..3 {
        succeed(&mut client, &[parse("s", "select 1", &[]), describe(b'S', "s"), sync()]);
        assert_eq!(value(&mut client, "s", &[]), "1");
        succeed(&mut client, &[close(b'S', "s"), sync()]);
        // Types are asked for anew before the next statement that the server is to describe.
        succeed(&mut other, &[query(&format!("create type t{round} as enum ('a')"))]);
        succeed(&mut client, &[parse("s", "select upper($1)", &[]), describe(b'S', "s"), sync()]);
        assert_eq!(value(&mut client, "s", &["a"]), "A");
        succeed(&mut client, &[close(b'S', "s"), sync()]);
    }
}
