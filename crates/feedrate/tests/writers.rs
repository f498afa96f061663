//! A message that is written field by field goes out whole or not at all: whatever failed in between, and
//! whether or not the caller looked at the error.

use feedrate::pg::List;
use feedrate::pg::writer::{BindWriter, CopyDataWriter, DataRowWriter};
use feedrate::{EncodeError, Output, SliceOutput};

const FULL: Result<(), EncodeError> = Err(EncodeError::Full);

/// The length of a value is put and then the value does not fit. What is put behind it would fit, and be
/// read as the value.
#[test]
fn a_part_that_did_not_fit_spoils_its_message() {
    for room in 0..40 {
        let mut memory = [0xaa; 64];
        let mut out = SliceOutput::new(&mut memory[..3 + room]);
        out.put(b"abc").expect("room");
        if let Ok(mut row) = DataRowWriter::begin(&mut out) {
            let first = row.column(Some(&[7; 30]));
            assert_eq!(first, FULL);
            // It is not forgotten, and what it was stays the same.
            assert_eq!(row.column(None), FULL);
            assert_eq!(row.column(Some(b"")), FULL);
            assert_eq!(row.column_with(|out| out.put(b"")), FULL);
            assert_eq!(row.finish(), Err(EncodeError::Full));
        }
        assert_eq!(out.as_bytes(), b"abc");

        if let Ok(mut bind) = BindWriter::begin(&mut out, "".into(), "".into(), List::EMPTY) {
            assert_eq!(bind.parameter(Some(&[7; 30])), FULL);
            assert_eq!(bind.parameter(None), FULL);
            assert_eq!(bind.parameter_with(|out| out.put(b"")), FULL);
            assert_eq!(bind.finish(List::EMPTY), Err(EncodeError::Full));
        }
        assert_eq!(out.as_bytes(), b"abc");

        // A piece that is left out is a hole in the data.
        if let Ok(mut copy) = CopyDataWriter::begin(&mut out) {
            assert_eq!(copy.put(&[7; 36]), FULL);
            assert_eq!(copy.put(b""), FULL);
            assert_eq!(copy.finish(), Err(EncodeError::Full));
        }
        assert_eq!(out.as_bytes(), b"abc");
    }
}

/// The same where a closure failed, in its own way, before it had put anything.
#[test]
fn a_closure_that_failed_spoils_its_message() {
    #[derive(Debug, PartialEq)]
    enum Failed {
        Encode(EncodeError),
        Own,
    }
    impl From<EncodeError> for Failed {
        fn from(error: EncodeError) -> Self {
            Self::Encode(error)
        }
    }
    let mut out = b"abc".to_vec();
    let mut row = DataRowWriter::begin(&mut out).expect("room");
    assert_eq!(row.column_with(|_| Err(Failed::Own)), Err(Failed::Own));
    assert!(matches!(row.column(None), Err(EncodeError::Invalid { what: "DataRow", .. })));
    assert!(matches!(row.column_with(|_| Err(Failed::Own)), Err(Failed::Encode(_))));
    assert!(row.finish().is_err());
    assert_eq!(out, b"abc");

    let mut bind = BindWriter::begin(&mut out, "".into(), "".into(), List::EMPTY).expect("room");
    assert_eq!(bind.parameter_with(|_| Err(Failed::Own)), Err(Failed::Own));
    assert!(bind.parameter(Some(b"")).is_err());
    assert!(bind.finish(List::EMPTY).is_err());
    assert_eq!(out, b"abc");
}

/// A closure that cuts the output off, by any number of bytes, and puts any number behind it.
#[test]
fn a_closure_that_takes_back_what_is_not_its_own_spoils_its_message() {
    // The first column's value and the second one's length are not the closure's.
    const BEGUN: usize = 3 + 7 + 5 + 4;
    for kept in 0..=BEGUN {
        for (put, byte) in (0..=2 * BEGUN).flat_map(|put| [(put, 0), (put, 7), (put, 0xff)]) {
            let mut out = b"abc".to_vec();
            let mut row = DataRowWriter::begin(&mut out).expect("room");
            row.column(Some(b"1")).expect("room");
            let written = row.column_with(|out| {
                out.truncate(kept);
                out.put(&vec![byte; put])
            });
            let honest = kept == BEGUN;
            assert_eq!(written.is_ok(), honest, "{kept} {put} {byte}");
            assert_eq!(row.column(None).is_ok(), honest);
            assert_eq!(row.finish(), if honest { Ok(BEGUN - 3 + put + 4) } else { row_error() });
            // What it took away from in front of the message is gone. Nothing of the message is there.
            assert!(
                honest || out == b"abc"[..kept.min(3)] || kept < 3 && out.len() <= 3,
                "{kept} {put} {out:?}"
            );

            let mut out = b"abc".to_vec();
            let mut bind = BindWriter::begin(&mut out, "".into(), "".into(), List::EMPTY).expect("room");
            let written = bind.parameter_with(|out| {
                out.truncate(kept);
                out.put(&vec![byte; put])
            });
            // Portal, statement, two counts, and this one's length.
            assert_eq!(written.is_ok(), kept >= 3 + 5 + 2 + 2 + 2 + 4, "{kept} {put} {byte}");
            assert_eq!(bind.finish(List::EMPTY).is_ok(), written.is_ok());
        }
    }
    // Another output in its place.
    let mut out = b"abc".to_vec();
    let mut row = DataRowWriter::begin(&mut out).expect("room");
    let written = row.column_with(|out| {
        *out = Vec::new();
        Ok::<(), EncodeError>(())
    });
    assert_eq!(written, row_error());
    assert_eq!(row.finish(), row_error());
    assert_eq!(out, b"");
}

fn row_error<T>() -> Result<T, EncodeError> {
    Err(EncodeError::Invalid { what: "DataRow", expected: "a value that is only appended" })
}
