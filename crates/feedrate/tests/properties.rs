//! What holds of any values: they are read as they were written, in whatever way they were written and
//! however the bytes were cut.

use feedrate::pg::backend::{
    self, CommandComplete, DataRow, ErrorResponse, Field, NoticeField, RowDescription,
};
use feedrate::pg::frontend::{Bind, Parse};
use feedrate::pg::writer::{BindWriter, CopyDataWriter, DataRowWriter};
use feedrate::pg::{Backend, Format, Frontend, List, Text, frontend};
use feedrate::{Array, Decoder, Encode, EncodeError, Grow, SliceOutput};
use feedrate_testkit::pg::{Side, entry, streamed, transcript};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

type Values = Vec<Option<Vec<u8>>>;

fn values() -> impl Strategy<Value = Values> {
    vec(option::of(vec(any::<u8>(), 0..40)), 0..12)
}

/// Bytes without a NUL.
fn text() -> impl Strategy<Value = Vec<u8>> {
    vec(1..=u8::MAX, 0..20)
}

fn lent(values: &Values) -> Vec<Option<&[u8]>> {
    values.iter().map(Option::as_deref).collect()
}

fn written(message: &impl Encode) -> Vec<u8> {
    let mut out = Vec::new();
    let length = message.encode(&mut out).expect("a good message");
    assert_eq!((length, message.encoded_length()), (out.len(), Ok(out.len())));
    out
}

/// `bytes`, cut at `places`.
fn cut<'b>(bytes: &'b [u8], places: &[prop::sample::Index]) -> Vec<&'b [u8]> {
    let mut at: Vec<usize> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|two| &bytes[two[0]..two[1]]).collect()
}

fn one<D: Side>(direction: D, bytes: &[u8], check: impl FnOnce(&feedrate::pg::Frame<'_, D>)) {
    let mut decoder = Decoder::new(direction, Grow::new(1 << 20));
    let mut input = bytes;
    let frame = decoder.feed(&mut input).expect("good").expect("whole");
    assert!(input.is_empty());
    // Opens, and compares what it encodes to.
    entry(&frame);
    check(&frame);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows(values in values()) {
        let lent = lent(&values);
        let row = DataRow { columns: List::from(&lent[..]) };
        let bytes = written(&row);
        one(Backend::established(), &bytes, |frame| {
            assert_eq!(frame.message(), Ok(row.into()));
        });

        // Column by column, and each made in place.
        let (mut plain, mut in_place) = (vec![7], vec![7]);
        let mut writer = DataRowWriter::begin(&mut plain).unwrap();
        lent.iter().try_for_each(|value| writer.column(*value)).unwrap();
        prop_assert_eq!(writer.finish(), Ok(bytes.len()));
        let mut writer = DataRowWriter::begin(&mut in_place).unwrap();
        for value in &lent {
            match value {
                Some(value) => writer.column_with(|out| {
                    out.extend_from_slice(value);
                    Ok::<(), EncodeError>(())
                }),
                None => writer.column(None),
            }
            .unwrap();
        }
        prop_assert_eq!(writer.finish(), Ok(bytes.len()));
        prop_assert_eq!(&plain[1..], &bytes[..]);
        prop_assert_eq!(&in_place[1..], &bytes[..]);

        // Into a slice in which there is no room for the whole of it.
        for room in 0..bytes.len() {
            let mut memory = vec![0; room];
            let mut out = SliceOutput::new(&mut memory);
            prop_assert_eq!(row.encode(&mut out), Err(EncodeError::Full));
            prop_assert_eq!(out.as_bytes(), b"");
        }
    }

    #[test]
    fn binds(
        portal in text(),
        statement in text(),
        values in values(),
        formats in (vec(any::<i16>(), 0..5), vec(any::<i16>(), 0..5)),
    ) {
        let lent = lent(&values);
        let (parameter_formats, result_formats): (Vec<_>, Vec<_>) =
            (formats.0.into_iter().map(Format).collect(), formats.1.into_iter().map(Format).collect());
        let bind = Bind {
            portal: Text::from(&portal[..]),
            statement: Text::from(&statement[..]),
            parameter_formats: List::from(&parameter_formats[..]),
            parameters: List::from(&lent[..]),
            result_formats: List::from(&result_formats[..]),
        };
        let bytes = written(&bind);
        one(Frontend::established(), &bytes, |frame| {
            assert_eq!(frame.message(), Ok(bind.into()));
        });

        let mut out = bytes::BytesMut::from(&b"before"[..]);
        let mut writer =
            BindWriter::begin(&mut out, bind.portal, bind.statement, bind.parameter_formats).unwrap();
        lent.iter().try_for_each(|value| writer.parameter(*value)).unwrap();
        prop_assert_eq!(writer.finish(bind.result_formats), Ok(bytes.len()));
        prop_assert_eq!(&out[6..], &bytes[..]);
    }

    #[test]
    fn copies(pieces in vec(vec(any::<u8>(), 0..50), 0..6)) {
        let data = pieces.concat();
        let bytes = written(&frontend::CopyData { data: &data });
        let mut out = Vec::new();
        let mut writer = CopyDataWriter::begin(&mut out).unwrap();
        pieces.iter().try_for_each(|piece| writer.put(piece)).unwrap();
        prop_assert_eq!(writer.finish(), Ok(bytes.len()));
        prop_assert_eq!(out, bytes);
    }

    #[test]
    fn descriptions(names in vec((text(), any::<(u32, i16, u32, i16, i32, i16)>()), 0..6)) {
        let fields: Vec<Field<'_>> = names
            .iter()
            .map(|(name, (table_oid, column_number, type_oid, type_size, type_modifier, format))| Field {
                name: Text::from(&name[..]),
                table_oid: *table_oid,
                column_number: *column_number,
                type_oid: *type_oid,
                type_size: *type_size,
                type_modifier: *type_modifier,
                format: Format(*format),
            })
            .collect();
        let description = RowDescription { fields: List::from(&fields[..]) };
        one(Backend::established(), &written(&description), |frame| {
            assert_eq!(frame.message(), Ok(description.into()));
        });
    }

    /// A list from the wire and one from a slice are the same list.
    #[test]
    fn lists(values in values(), types in vec(any::<u32>(), 0..20), fields in vec((1..=u8::MAX, text()), 0..6)) {
        fn same<'a, T: feedrate::pg::Item<'a> + PartialEq + std::fmt::Debug>(wire: List<'a, T>, slice: &'a [T]) {
            let own = List::from(slice);
            assert_eq!(wire, own);
            assert_eq!((wire.len(), wire.is_empty()), (slice.len(), slice.is_empty()));
            assert_eq!(wire.iter().size_hint(), (slice.len(), Some(slice.len())));
            for index in 0..slice.len() + 2 {
                assert_eq!((wire.get(index), own.get(index)), (slice.get(index).copied(), slice.get(index).copied()));
                // What `nth` leaves.
                let (mut a, mut b) = (wire.iter(), slice.iter().copied());
                assert_eq!(a.nth(index), b.nth(index));
                assert_eq!(a.len(), b.len());
                assert!(a.eq(b));
            }
            assert_eq!(format!("{wire:?}"), format!("{slice:?}"));
            let mut iter = wire.iter();
            assert_eq!(iter.by_ref().count(), slice.len());
            assert_eq!(iter.next(), None);
        }
        let lent = lent(&values);
        one(Backend::established(), &written(&DataRow { columns: List::from(&lent[..]) }), |frame| {
            let Ok(backend::Message::DataRow(row)) = frame.message() else { panic!() };
            same(row.columns, &lent);
        });
        let parse = Parse { statement: "".into(), sql: "".into(), parameter_types: List::from(&types[..]) };
        one(Frontend::established(), &written(&parse), |frame| {
            let Ok(frontend::Message::Parse(parse)) = frame.message() else { panic!() };
            same(parse.parameter_types, &types);
        });
        let fields: Vec<_> =
            fields.iter().map(|(code, value)| NoticeField { code: *code, value: Text::from(&value[..]) }).collect();
        one(Backend::established(), &written(&ErrorResponse { fields: List::from(&fields[..]) }), |frame| {
            let Ok(backend::Message::ErrorResponse(error)) = frame.message() else { panic!() };
            same(error.fields, &fields);
            for field in &fields {
                assert_eq!(error.get(field.code), fields.iter().find(|f| f.code == field.code).map(|f| f.value));
            }
        });
    }

    #[test]
    fn texts(bytes in vec(any::<u8>(), 0..40), valid in any::<String>()) {
        let text = Text::from(&bytes[..]);
        prop_assert_eq!(text.as_bytes(), &bytes[..]);
        prop_assert_eq!(text.to_string(), String::from_utf8_lossy(&bytes));
        prop_assert_eq!(text.to_str().ok(), std::str::from_utf8(&bytes).ok());
        let shown = format!("{text:?}");
        prop_assert!(shown.starts_with('"') && shown.ends_with('"') && !shown.contains(char::is_control));
        prop_assert_eq!(Text::from(&valid[..]), &valid[..]);
        prop_assert_eq!(Text::from(&valid[..]).to_string(), valid);
    }

    #[test]
    fn a_nul_is_refused(before in text(), behind in vec(any::<u8>(), 0..10)) {
        let bytes = [&before[..], b"\0", &behind].concat();
        let mut out = b"before".to_vec();
        let error = frontend::Query { sql: Text::from(&bytes[..]) }.encode(&mut out);
        let at = before.len();
        prop_assert_eq!(error, Err(EncodeError::InteriorNul { what: "Query sql", at }));
        prop_assert_eq!(out, b"before");
    }

    #[test]
    fn tags(words in "[A-Z]{1,8}( [A-Z]{1,8}){0,2}", rows in any::<u64>(), oid in any::<u32>()) {
        let parsed = |tag: &str| {
            let complete = CommandComplete { tag: tag.into() };
            (complete.command().to_string(), complete.oid(), complete.rows())
        };
        prop_assert_eq!(parsed(&words), (words.clone(), None, None));
        prop_assert_eq!(parsed(&format!("{words} {rows}")), (words.clone(), None, Some(rows)));
        prop_assert_eq!(parsed(&format!("{words} {oid} {rows}")), (words, Some(oid.into()), Some(rows)));
    }

    #[test]
    fn any_tag_is_read_without_a_panic(tag in "[A-Z0-9 \\-]{0,30}") {
        let complete = CommandComplete { tag: Text::from(&tag[..]) };
        let command = complete.command().to_string();
        prop_assert!(tag.starts_with(&command));
        prop_assert!(complete.rows().is_some() || (command == tag && complete.oid().is_none()));
    }

    #[test]
    fn however_it_is_cut(rows in vec(values(), 1..5), places in vec(any::<prop::sample::Index>(), 0..20)) {
        let bytes: Vec<u8> = rows
            .iter()
            .flat_map(|values| written(&DataRow { columns: List::from(&lent(values)[..]) }))
            .chain(*b"Z\0\0\0\x05I")
            .collect();
        let start = Backend::established();
        let chunks = cut(&bytes, &places);
        let whole = transcript(&start, Grow::new(1 << 20), &[&bytes]);
        prop_assert_eq!(whole.entries.len(), rows.len() + 1);
        prop_assert_eq!(&whole, &transcript(&start, Grow::new(1 << 20), &chunks));
        let in_pieces = streamed::transcript(&start, Array::<16>::new(), &chunks);
        prop_assert_eq!(streamed::rebuild(&in_pieces.entries), bytes);
        prop_assert_eq!(in_pieces.end, Ok(()));
    }

    /// Mostly nonsense, with enough sense in it to get past the header.
    #[test]
    fn however_nonsense_is_cut(
        tags in vec((prop::sample::select(&b"DTESKtGdVZCRBPQFEp\0X"[..]), vec(0_u8..4, 0..12), any::<bool>()), 0..6),
        places in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut bytes = Vec::new();
        for (tag, body, honest) in tags {
            let length = if honest { body.len() as u8 + 4 } else { body.first().copied().unwrap_or(4) };
            bytes.extend([tag, 0, 0, 0, length]);
            bytes.extend(body);
        }
        let chunks = cut(&bytes, &places);
        macro_rules! same {
            ($($start:expr),*) => {$(
                let start = $start;
                prop_assert_eq!(
                    transcript(&start, Array::<64>::new(), &[&bytes]),
                    transcript(&start, Array::<64>::new(), &chunks)
                );
                prop_assert_eq!(
                    streamed::transcript(&start, Array::<8>::new(), &[&bytes]),
                    streamed::transcript(&start, Array::<8>::new(), &chunks)
                );
            )*};
        }
        same!(Backend::established(), Backend::new(), Frontend::established(), Frontend::new());
    }
}
