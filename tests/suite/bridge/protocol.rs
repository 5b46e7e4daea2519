use pgferry::{
    Config, Transport,
    bridge::{Address, Bridge, Verification},
    config::Describe,
};

use super::raw_client::{Message, RawClient, bind, call_int4pl, close, describe, execute, flush, parse, query, sync};
use pgferry_test_support::{Postgres, TestGateway};

const INT4: u32 = 23;

/// What is sent at once, for so many answers.
struct Exchange {
    name: &'static str,
    messages: Vec<Message>,
    answers: usize,
    /// What HTTP refuses, and no session is there to take.
    refused_over_http: bool,
}

fn exchanges() -> Vec<Exchange> {
    let case = |name, messages: &[Message], answers, refused_over_http| Exchange {
        name,
        messages: messages.to_vec(),
        answers,
        refused_over_http,
    };
    let select = || parse("", "select n, 'a' || n from generate_series(1, 3) as n where n > $1::int4", &[]);
    vec![
        case("a query", &[query("select 1 as a, null as b, 'c' as c")], 1, false),
        case("an empty query", &[query(" -- nothing")], 1, false),
        case("a query of several statements", &[query("select 1; select 2 as b; values (3)")], 1, false),
        case("a syntax error", &[query("selec 1")], 1, false),
        case(
            "a statement with its columns",
            &[select(), bind("", "", &["1"], &[]), describe(b'P', ""), execute("", 0), sync()],
            1,
            false,
        ),
        case(
            "a change with no columns",
            &[
                parse("", "create table if not exists t (i int)", &[]),
                bind("", "", &[], &[]),
                describe(b'P', ""),
                execute("", 0),
                sync(),
            ],
            1,
            false,
        ),
        case("an empty statement", &[parse("", "", &[]), bind("", "", &[], &[]), execute("", 0), sync()], 1, false),
        case(
            "columns in binary",
            &[select(), bind("", "", &["1"], &[1]), describe(b'P', ""), execute("", 0), sync()],
            1,
            false,
        ),
        case(
            "columns in both formats",
            &[select(), bind("", "", &["1"], &[0, 1]), describe(b'P', ""), execute("", 0), sync()],
            1,
            true,
        ),
        case("a portal's columns alone", &[select(), bind("", "", &["1"], &[]), describe(b'P', ""), sync()], 1, true),
        case(
            "two portals, both described before",
            &[
                parse("both", "select $1::int4", &[]),
                bind("a", "both", &["1"], &[]),
                bind("b", "both", &["2"], &[]),
                describe(b'P', "a"),
                describe(b'P', "b"),
                execute("a", 0),
                execute("b", 0),
                close(b'S', "both"),
                sync(),
            ],
            1,
            true,
        ),
        case(
            "two portals one after the other",
            &[
                parse("two", "select $1::int4", &[]),
                bind("a", "two", &["1"], &[]),
                describe(b'P', "a"),
                execute("a", 0),
                close(b'P', "a"),
                bind("b", "two", &["2"], &[]),
                describe(b'P', "b"),
                execute("b", 0),
                close(b'S', "two"),
                sync(),
            ],
            1,
            false,
        ),
        case(
            "a portal executed twice",
            &[select(), bind("", "", &["1"], &[]), describe(b'P', ""), execute("", 0), execute("", 0), sync()],
            1,
            true,
        ),
        case(
            "rows in portions",
            &[select(), bind("", "", &["0"], &[]), describe(b'P', ""), execute("", 2), execute("", 2), sync()],
            1,
            true,
        ),
        case(
            "a statement's description",
            &[parse("kept", "select $1 + 1 as sum", &[INT4]), describe(b'S', "kept"), sync()],
            1,
            false,
        ),
        case("a statement that was described", &[bind("", "kept", &["1"], &[]), execute("", 0), sync()], 1, false),
        case("an inferred parameter", &[parse("", "select upper($1)", &[]), describe(b'S', ""), sync()], 1, false),
        case(
            "a name that is taken, and what is skipped behind it",
            &[parse("kept", "select 1", &[]), bind("", "kept", &["1"], &[]), execute("", 0), sync()],
            1,
            false,
        ),
        case("no such statement", &[bind("", "nowhere", &[], &[]), execute("", 0), sync()], 1, false),
        case("no such portal", &[execute("nowhere", 0), sync()], 1, false),
        case("closing what is not there", &[close(b'S', "nowhere"), close(b'P', "nowhere"), sync()], 1, false),
        case("a ping", &[sync()], 1, false),
        case("two pings at once", &[sync(), sync()], 2, false),
        case(
            "several groups at once",
            &[
                query("select 1"),
                select(),
                bind("", "", &["2"], &[]),
                describe(b'P', ""),
                execute("", 0),
                sync(),
                query("select 3"),
            ],
            3,
            false,
        ),
        case(
            "a Flush within",
            &[
                parse("", "select $1::int4", &[]),
                flush(),
                bind("", "", &["1"], &[]),
                flush(),
                describe(b'P', ""),
                execute("", 0),
                sync(),
            ],
            1,
            false,
        ),
        case(
            "a Flush behind a statement without parameters",
            &[
                parse("", "select 1", &[]),
                bind("", "", &[], &[]),
                describe(b'P', ""),
                execute("", 0),
                flush(),
                close(b'P', ""),
                sync(),
            ],
            1,
            false,
        ),
        case(
            "a Flush between two executions",
            &[
                select(),
                bind("a", "", &["1"], &[]),
                describe(b'P', "a"),
                execute("a", 0),
                flush(),
                bind("b", "", &["2"], &[]),
                describe(b'P', "b"),
                execute("b", 0),
                flush(),
                sync(),
            ],
            1,
            true,
        ),
        case(
            "a Flush behind what fails",
            &[
                parse("", "select 1 / (n - $1::int4) from generate_series(1, 1) as n", &[]),
                bind("", "", &["1"], &[]),
                execute("", 0),
                flush(),
                execute("", 0),
                sync(),
            ],
            1,
            false,
        ),
        case("a function call", &[call_int4pl()], 1, true),
        case(
            "a transaction in several groups at once",
            &[query("begin"), query("select 1"), query("selec"), query("select 2"), query("rollback"), sync()],
            6,
            true,
        ),
        case("the end", &[close(b'S', "kept"), sync(), query("select 'still in step'")], 2, false),
    ]
}

/// What of the answers must be the same: all but the parts of an error that name places in the server's source.
fn essence(messages: Vec<Message>) -> Vec<Message> {
    let code = |body: &[u8]| {
        let fields = body.split(|byte| *byte == 0);
        fields.filter(|field| field.first().is_some_and(|kind| b"SCM".contains(kind))).collect::<Vec<_>>().join(&b' ')
    };
    // A notice does not travel over HTTP.
    let told = messages.into_iter().filter(|(tag, _)| *tag != b'N' && *tag != b'S');
    told.map(|(tag, body)| if tag == b'E' { (tag, code(&body)) } else { (tag, body) }).collect()
}

struct Server {
    postgres: Postgres,
    gateway: TestGateway,
}

impl Server {
    fn start() -> Self {
        let postgres = Postgres::builder().hba("local all app trust").start().unwrap();
        let gateway = TestGateway::start(&postgres).unwrap();
        Self { postgres, gateway }
    }

    fn direct(&self) -> RawClient {
        let socket = self.postgres.socket_dir().join(format!(".s.PGSQL.{}", self.postgres.port()));
        RawClient::connect(&socket, "app", "app", None)
    }

    fn bridge(&self, transport: Transport) -> Bridge {
        let config: Config = self.gateway.ferry(&self.postgres.url()).parse().unwrap();
        let config = config.transport(transport).describe(Describe::Always);
        Bridge::start(&config, Verification::Connect).unwrap()
    }
}

fn bridged(bridge: &Bridge) -> RawClient {
    let Address::Unix { directory, port } = bridge.address() else { panic!("no Unix socket") };
    let socket = directory.join(format!(".s.PGSQL.{port}"));
    RawClient::connect(&socket, "app", "app", Some(bridge.password().reveal()))
}

fn answers(client: &mut RawClient, exchange: &Exchange) -> Vec<Message> {
    client.send(&exchange.messages);
    (0..exchange.answers).flat_map(|_| essence(client.answer())).collect()
}

#[test]
fn every_exchange_is_answered_as_by_the_server() {
    let server = Server::start();
    for transport in [Transport::WebSocket, Transport::Auto] {
        let bridge = server.bridge(transport);
        let (mut direct, mut client) = (server.direct(), bridged(&bridge));
        for exchange in exchanges() {
            let expected = answers(&mut direct, &exchange);
            assert_eq!(answers(&mut client, &exchange), expected, "{}, {transport}", exchange.name);
        }
        // Each on a connection of its own, which nothing has moved to a session before.
        for exchange in exchanges() {
            let expected = answers(&mut server.direct(), &exchange);
            assert_eq!(answers(&mut bridged(&bridge), &exchange), expected, "{} alone, {transport}", exchange.name);
        }
    }
}

#[test]
fn what_http_refuses_leaves_the_client_in_step() {
    let server = Server::start();
    let bridge = server.bridge(Transport::Http);
    let (mut direct, mut client) = (server.direct(), bridged(&bridge));
    for exchange in exchanges() {
        let expected = answers(&mut direct, &exchange);
        let given = answers(&mut client, &exchange);
        if !exchange.refused_over_http {
            assert_eq!(given, expected, "{}", exchange.name);
            continue;
        }
        let refusals =
            given.iter().filter(|(tag, body)| *tag == b'E' && String::from_utf8_lossy(body).contains("C0A000"));
        assert!(refusals.count() > 0, "{}: {given:?}", exchange.name);
        assert_eq!(given.iter().filter(|(tag, _)| *tag == b'Z').count(), exchange.answers, "{}", exchange.name);
    }
}
