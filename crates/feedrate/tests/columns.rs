//! A row walked through in one pass is the row that has been checked first.

use feedrate::pg::Backend;
use feedrate::pg::backend::{BadRow, DataRow, Message};
use feedrate::{Array, Decoder};
use feedrate_testkit::pg::vectors;

/// What one pass over the columns of a DataRow says.
fn one_pass(bytes: &[u8]) -> Result<Vec<Option<Vec<u8>>>, BadRow> {
    let mut decoder = Decoder::new(Backend::established(), Array::<1>::new());
    let mut grown = Decoder::new(Backend::established(), feedrate::Grow::new(1 << 20));
    assert!(decoder.feed(&mut &bytes[..]).is_err(), "the storage's limit is for all");
    let mut input = bytes;
    let frame = grown.feed(&mut input).expect("a good frame").expect("a whole one");
    let mut columns = frame.columns().expect("a DataRow");
    let all = columns.by_ref().map(|value| value.map(|value| value.map(<[u8]>::to_vec))).collect();
    if let Err(BadRow) = all {
        assert_eq!(columns.next(), None, "nothing follows an error");
    }
    all
}

#[test]
fn good_rows() {
    let mut rows = 0;
    for row in vectors::backend().iter().filter(|row| row.bytes.first() == Some(&DataRow::TAG)) {
        let mut decoder = Decoder::new(Backend::established(), feedrate::Grow::new(1 << 20));
        let frame = decoder.feed(&mut &row.bytes[..]).expect("good").expect("whole");
        let Ok(Message::DataRow(checked)) = frame.message() else { panic!("{frame:?}") };
        let checked: Vec<_> = checked.columns.iter().map(|value| value.map(<[u8]>::to_vec)).collect();
        assert_eq!(one_pass(&row.bytes), Ok(checked));
        rows += 1;
    }
    assert!(rows >= 3, "only {rows} rows");
}

#[test]
fn bad_rows() {
    let good = b"\0\x03\0\0\0\x02ab\xff\xff\xff\xff\0\0\0\0";
    let framed = |body: &[u8]| [b"D", &(body.len() as u32 + 4).to_be_bytes()[..], body].concat();
    assert!(one_pass(&framed(good)).is_ok());
    for n in 0..good.len() {
        assert_eq!(one_pass(&framed(&good[..n])), Err(BadRow), "{n} bytes of it");
    }
    assert_eq!(one_pass(&framed(&[good, &b"\0"[..]].concat())), Err(BadRow), "one byte too many");
    assert_eq!(one_pass(&framed(b"\0\x01\xff\xff\xff\xfe")), Err(BadRow), "a length of -2");
    assert_eq!(one_pass(&framed(b"\0\0")), Ok(vec![]));
}

#[test]
fn other_messages_have_no_columns() {
    let mut decoder = Decoder::new(Backend::established(), Array::<16>::new());
    let frame = decoder.feed(&mut &b"Z\0\0\0\x05I"[..]).expect("good").expect("whole");
    assert!(frame.columns().is_none());
}
