#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use pgferry::http::wire::{Event, ResponseDecoder, error_from_response};

fuzz_target!(|data: &[u8]| {
    let Some((&size, body)) = data.split_first() else { return };
    assert_eq!(decode(body, usize::from(size).max(1)), decode(body, body.len().max(1)));
    assert!(!error_from_response(400, body).to_string().is_empty());
});

/// Writes down what comes out; an error ends it.
fn decode(body: &[u8], chunk: usize) -> Vec<String> {
    let mut decoder = ResponseDecoder::new();
    let mut events = Vec::new();
    for chunk in body.chunks(chunk) {
        decoder.push(Bytes::copy_from_slice(chunk));
        loop {
            match decoder.next() {
                Ok(Some(Event::Row(row))) => {
                    let values: Vec<_> = row.values().map(Result::ok).collect();
                    if let Ok(texts) = row.texts() {
                        let mut scratch = String::from("before");
                        for (text, value) in texts.zip(&values) {
                            let mut appended = Vec::new();
                            let ok = text.is_none_or(|text| text.append_to(&mut appended).is_ok());
                            assert_eq!(ok, value.is_some());
                            if let (Some(text), Some(Some(value))) = (text, value) {
                                assert_eq!(appended, value.as_bytes());
                                assert_eq!(text.read(&mut scratch).ok(), Some(&**value));
                            }
                        }
                    }
                    events.push(format!("{values:?}"));
                    if events.len().is_multiple_of(2) {
                        decoder.recycle(row);
                    }
                }
                Ok(Some(event)) => events.push(format!("{event:?}")),
                Ok(None) => break,
                Err(error) => {
                    // What has failed stays so.
                    assert!(decoder.next().is_err() && decoder.finish().is_err());
                    // What came before it depends on how much of the body the decoder saw.
                    events.push(error.message().split(':').next().unwrap_or_default().to_owned());
                    return events;
                }
            }
        }
    }
    events.push(format!("{}", decoder.finish().is_ok()));
    events
}
