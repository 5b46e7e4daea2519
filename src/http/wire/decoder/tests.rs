use super::*;

const SELECT: &str = concat!(
    r#"{"fields":[{"name":"u","dataTypeID":19,"tableID":0,"columnID":0,"dataTypeSize":64,"dataTypeModifier":-1,"format":"text"},"#,
    r#"{"name":"u","dataTypeID":25,"tableID":0,"columnID":0,"dataTypeSize":-1,"dataTypeModifier":-1,"format":"text"}],"#,
    r#""rows":[["app",null],["","a\"b\\\\\" \u00e9\ud83d\ude00\n"],["Zoë ","],[{}\\"]],"#,
    r#""command":"SELECT","rowCount":3,"rowAsArray":true}"#
);

const BATCH: &str = concat!(
    r#"{"results":[{"fields":[],"rows":[],"command":"CREATE","rowCount":null,"rowAsArray":true},"#,
    r#"{"fields":[{"name":"a","dataTypeID":23,"tableID":0,"columnID":0,"dataTypeSize":4,"dataTypeModifier":-1,"format":"text"}],"#,
    r#""rows":[["2"]],"command":"SELECT","rowCount":1,"rowAsArray":true},"#,
    r#"{"fields":[],"rows":[[],[]],"command":"SELECT","rowCount":2,"rowAsArray":true}]}"#
);

/// Feeds the chunks and writes down what comes out; the end must be whole.
fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<String>> {
    let mut decoder = ResponseDecoder::new();
    let mut events = Vec::new();
    for chunk in chunks {
        decoder.push(Bytes::copy_from_slice(chunk));
        while let Some(event) = decoder.next()? {
            events.push(match event {
                Event::Fields(fields) => {
                    format!("fields {:?}", fields.iter().map(|f| (f.name.as_str(), f.type_oid)).collect::<Vec<_>>())
                }
                Event::Row(row) => format!("row {:?}", row.values().collect::<Result<Vec<_>>>()?),
                Event::Complete { command, row_count } => format!("{command} {row_count:?}"),
            });
        }
    }
    decoder.finish()?;
    Ok(events)
}

fn whole(text: &str) -> Result<Vec<String>> {
    decode([text.as_bytes()])
}

fn message(text: &str) -> String {
    let error = whole(text).expect_err(text);
    assert_eq!(error.outcome(), Outcome::Unknown, "{text}");
    error.message().to_owned()
}

#[test]
fn every_chunking_gives_the_same_events() {
    for text in [SELECT, BATCH] {
        let expected = whole(text).unwrap();
        let bytes = text.as_bytes();
        for cut in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(cut);
            assert_eq!(decode([head, tail]).unwrap(), expected, "cut at {cut}");
        }
        for size in 1..40 {
            assert_eq!(decode(bytes.chunks(size)).unwrap(), expected, "chunks of {size}");
        }
    }
}

#[test]
fn values_are_postgres_text() {
    assert_eq!(
        whole(SELECT).unwrap(),
        [
            r#"fields [("u", 19), ("u", 25)]"#,
            r#"row [Some("app"), None]"#,
            r#"row [Some(""), Some("a\"b\\\\\" é😀\n")]"#,
            r#"row [Some("Zoë "), Some("],[{}\\")]"#,
            "SELECT Some(3)",
        ]
    );
    assert_eq!(
        whole(BATCH).unwrap(),
        [
            "fields []",
            "CREATE None",
            r#"fields [("a", 23)]"#,
            r#"row [Some("2")]"#,
            "SELECT Some(1)",
            "fields []",
            "row []",
            "row []",
            "SELECT Some(2)",
        ]
    );
}

#[test]
fn every_truncation_is_noticed() {
    for text in [SELECT, BATCH] {
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert!(whole(&text[..end]).is_err(), "cut at {end}");
        }
    }
}

#[test]
fn text_that_is_not_escaped_is_not_copied() {
    let mut decoder = ResponseDecoder::new();
    decoder.push(Bytes::from_static(SELECT.as_bytes()));
    let mut borrowed = Vec::new();
    while let Some(event) = decoder.next().unwrap() {
        if let Event::Row(row) = event {
            borrowed.extend(row.values().flatten().flatten().map(|text| matches!(text, std::borrow::Cow::Borrowed(_))));
        }
    }
    assert_eq!(borrowed, [true, true, false, true, false]);
}

#[test]
fn spaces_and_strange_keys_are_tolerated() {
    let text = concat!(
        " { \"warnings\" : [ { \"rows\" : [\"]\"] } ] , \"command\" : \"SELECT\" , \"fields\" : [ { \"name\" : \"a\" , \"new\" : 1 } ] ,\n",
        " \"rows\" : [ [ \"1\" ] , [ null ] ] , \"rowCount\" : 2 , \"viaNeonProxy\" : true } \n"
    );
    assert_eq!(whole(text).unwrap(), [r#"fields [("a", 0)]"#, r#"row [Some("1")]"#, "row [None]", "SELECT Some(2)"]);
    assert_eq!(whole(r#"{"command":"SET"}"#).unwrap(), ["fields []", "SET None"]);
    assert_eq!(whole(r#"{"results":[]}"#).unwrap(), [""; 0]);
}

#[test]
fn an_error_in_a_200_is_an_error() {
    let error = whole(r#"{"message":"division by zero","code":"22012","severity":"ERROR","detail":"d"}"#).unwrap_err();
    let db = error.as_db_error().unwrap();
    assert_eq!((error.outcome(), db.detail.as_deref()), (Outcome::Failed, Some("d")));
}

#[test]
fn a_response_that_failed_stays_failed() {
    for body in ["[]", "[", r#"{"message":"division by zero","code":"22012","severity":"ERROR"}"#] {
        let mut decoder = ResponseDecoder::new();
        decoder.push(Bytes::from_static(body.as_bytes()));
        for _ in 0..3 {
            assert!(decoder.next().is_err(), "{body}");
            assert!(decoder.finish().is_err(), "{body}");
        }
    }
}

#[test]
fn a_recycled_row_leaves_nothing_in_the_next() {
    let rows = SELECT.find(r#"[["app""#).unwrap();
    for cut in rows..SELECT.len() {
        let mut decoder = ResponseDecoder::new();
        let mut values = Vec::new();
        let (head, tail) = SELECT.as_bytes().split_at(cut);
        for chunk in [head, tail] {
            decoder.push(Bytes::from_static(chunk));
            while let Some(event) = decoder.next().unwrap() {
                let Event::Row(row) = event else { continue };
                let texts = row.texts().unwrap().map(|text| text.map(|text| text.to_cow().unwrap().into_owned()));
                values.push(texts.collect::<Vec<_>>());
                decoder.recycle(row);
            }
        }
        let text = |text: &str| Some(text.to_owned());
        let expected = [[text("app"), None], [text(""), text("a\"b\\\\\" é😀\n")], [text("Zoë "), text("],[{}\\")]];
        assert_eq!(values, expected, "cut at {cut}");
    }
}

/// Large rows get memory of their own, wherever the chunks end.
#[test]
fn large_rows_come_whole() {
    let mut text = String::from(r#"{"fields":[{"name":"a"}],"rows":["#);
    let sizes = [1, LARGE_ROW, LARGE_ROW - 4, 3, 3 * LARGE_ROW, 2 * LARGE_ROW, 0];
    for (index, size) in sizes.iter().enumerate() {
        text.push_str(if index == 0 { "[\"" } else { ",[\"" });
        text.extend(std::iter::repeat_n(char::from(b'a' + index as u8), *size));
        text.push_str("\"]");
    }
    text.push_str(r#"],"command":"SELECT","rowCount":7}"#);
    let expected = whole(&text).unwrap();
    assert_eq!(expected.len(), 2 + sizes.len());
    for size in [1000, LARGE_ROW / 2, LARGE_ROW, 3 * LARGE_ROW + 17] {
        assert_eq!(decode(text.as_bytes().chunks(size)).unwrap(), expected, "chunks of {size}");
    }
}

#[test]
fn what_a_server_does_wrong_is_named() {
    let cases = [
        ("<html>", "no JSON object"),
        ("[]", "no JSON object"),
        (r#"{"rows":[["1"]],"fields":[{"name":"a"}]}"#, "before their fields"),
        (r#"{"fields":[{"name":"a"}],"rows":[{"a":"1"}]}"#, "Neon-Array-Mode"),
        (r#"{"fields":[{"name":"a"}],"rows":[[1]]}"#, "Neon-Raw-Text-Output"),
        (r#"{"fields":[{"name":"a"}],"rows":[[true]]}"#, "Neon-Raw-Text-Output"),
        (r#"{"fields":[{"name":"a"}],"rows":[[["1"]]]}"#, "Neon-Raw-Text-Output"),
        (r#"{"fields":[{"name":"a"}],"rows":[["1","2"]]}"#, "more values"),
        (r#"{"fields":[{"name":"a"}],"rows":[[]]}"#, "fewer values"),
        (r#"{"fields":[{"name":"a"}],"rows":[["1",]]}"#, "no JSON array"),
        (r#"{"fields":[{"name":"a"}],"rows":[["1"]["2"]]}"#, "comma"),
        (r#"{"fields":[{"name":"a"}],"rows":[[nul]]}"#, "neither a string nor null"),
        (r#"{"fields":[{"name":"a"}],"rows":[["\q"]]}"#, "no JSON string"),
        (r#"{"fields":[],"fields":[]}"#, "twice"),
        (r#"{"fields":[],"rows":[],"rows":[]}"#, "twice"),
        (r#"{"fields":7}"#, "`fields` is malformed"),
        (r#"{"fields":[{"name":"a","columnID":70000}]}"#, "`fields` is malformed"),
        (r#"{"fields":[],"rows":null}"#, "no array"),
        (r#"{"command":"SELECT","rowCount":-1}"#, "`rowCount` is malformed"),
        (r#"{"command":"SELECT","results":[]}"#, "both a result and a batch"),
        (r#"{"results":[{}]}"#, "no result"),
        (r#"{"results":[1]}"#, "no object"),
        (r#"{"command":"SELECT"} x"#, "follow its end"),
        (r#"{"command":"SELECT",}"#, "key is no string"),
        (r#"{"command" "SELECT"}"#, "no value"),
        (r#"{"command":}"#, "value is missing"),
        (r#"{"x":{]}"#, "malformed"),
    ];
    for (text, expected) in cases {
        let message = message(text);
        assert!(message.contains(expected), "{text}: {message}");
    }
    let deep = format!(r#"{{"x":{}"#, "[".repeat(100_000));
    assert!(message(&deep).contains("nest too deeply"));
}

#[test]
fn bytes_that_are_not_utf8_are_an_error_of_the_value() {
    let text = b"{\"fields\":[{\"name\":\"a\"},{\"name\":\"b\"}],\"rows\":[[\"\xff\",\"ok\"]],\"command\":\"SELECT\"}";
    let mut decoder = ResponseDecoder::new();
    decoder.push(Bytes::from_static(text));
    assert!(matches!(decoder.next(), Ok(Some(Event::Fields(_)))));
    let Ok(Some(Event::Row(row))) = decoder.next() else { panic!("no row") };
    assert!(row.get(0).is_err());
    assert_eq!(row.get(1).unwrap().as_deref(), Some("ok"));
    assert!(row.get(2).is_err());
}

#[test]
fn noise_never_panics() {
    // A small generator of repeatable noise, over the alphabet that the decoder's states turn on.
    let alphabet = br#"{}[]",:\ntrue0 fieldsrowscommand"#;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20_000 {
        let mut text = SELECT.as_bytes().to_vec();
        for _ in 0..3 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % text.len();
            let with = alphabet[(state >> 20) as usize % alphabet.len()];
            match state >> 62 {
                0 => text.insert(at, with),
                1 => drop(text.remove(at)),
                _ => text[at] = with,
            }
        }
        // Whether it decodes is not the point.
        let _ = decode(text.chunks(1 + (state >> 40) as usize % 50));
    }
}
