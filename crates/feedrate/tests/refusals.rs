//! What cannot be written is refused, and the output is as it was: no length is cut to fit its field, no
//! count, no list is ended early by what is in it.

use feedrate::pg::backend::{
    Authentication, BackendKeyData, CopyInResponse, DataRow, ErrorResponse, NoticeField,
    ParameterDescription, ReadyForQuery, TransactionStatus,
};
use feedrate::pg::frontend::{
    Bind, CancelRequest, CopyFail, Message, Parameter, PasswordMessage, Query, StartupMessage,
};
use feedrate::pg::writer::{BindWriter, CopyDataWriter, DataRowWriter};
use feedrate::pg::{Format, FrontendLimits, List, Secret, Version};
use feedrate::{Encode, EncodeError, Output, SliceOutput};

/// The error, of encoding and of measuring. `bytes` in front of the message stay.
fn refused(message: &impl Encode) -> EncodeError {
    let mut out = b"before".to_vec();
    let error = message.encode(&mut out).expect_err("it cannot be written");
    assert_eq!(out, b"before");
    assert_eq!(message.encoded_length(), Err(error));
    let mut memory = vec![0xaa; 400_000];
    let mut out = SliceOutput::new(&mut memory);
    out.put(b"before").expect("room");
    assert_eq!(message.encode(&mut out), Err(error));
    assert_eq!(out.as_bytes(), b"before");
    error
}

fn is_too_large(error: EncodeError, size: usize, limit: usize) {
    assert!(
        matches!(error, EncodeError::TooLarge { size: s, limit: l, .. } if (s, l) == (size, limit)),
        "{error:?}"
    );
}

#[test]
fn counts_of_more_than_16_bits() {
    let most = usize::from(u16::MAX);
    let nulls = vec![None; most + 1];
    is_too_large(refused(&DataRow { columns: List::from(&nulls[..]) }), most + 1, most);
    let types = vec![23; most + 1];
    is_too_large(refused(&ParameterDescription { types: List::from(&types[..]) }), most + 1, most);
    let formats = vec![Format::TEXT; most + 1];
    let bind = |parameter_formats, parameters, result_formats| Bind {
        portal: "".into(),
        statement: "".into(),
        parameter_formats,
        parameters,
        result_formats,
    };
    let empty = List::EMPTY;
    is_too_large(refused(&bind(List::from(&formats[..]), List::EMPTY, empty)), most + 1, most);
    is_too_large(refused(&bind(empty, List::from(&nulls[..]), empty)), most + 1, most);
    is_too_large(refused(&bind(empty, List::EMPTY, List::from(&formats[..]))), most + 1, most);

    let mut out = b"before".to_vec();
    let mut row = DataRowWriter::begin(&mut out).expect("room");
    (0..most).for_each(|_| row.column(None).expect("65535 columns"));
    let error = row.column(None).expect_err("one more");
    is_too_large(error, most + 1, most);
    // It is not forgotten.
    assert_eq!(row.column(None), Err(error));
    assert_eq!(row.finish(), Err(error));
    assert_eq!(out, b"before");
}

#[test]
fn messages_longer_than_a_server_reads() {
    let long = "x".repeat(70_000);
    let fail = Message::from(CopyFail { reason: long[..9_996].into() });
    is_too_large(refused(&fail.within(&FrontendLimits::since_14())), 10_001, 10_000);
    is_too_large(
        refused(&PasswordMessage { password: Secret::from(&long.as_bytes()[..65_531]) }),
        65_536,
        65_535,
    );
    let parameters = [Parameter { name: "user".into(), value: long[..9_990].into() }];
    let startup = StartupMessage { version: Version::V3_0, parameters: List::from(&parameters) };
    is_too_large(refused(&startup), 10_005, 10_004);
}

#[test]
fn values_that_would_be_read_as_something_else() {
    let nul = |error, at| {
        assert!(matches!(error, EncodeError::InteriorNul { at: found, .. } if found == at), "{error:?}")
    };
    let invalid = |error| assert!(matches!(error, EncodeError::Invalid { .. }), "{error:?}");
    fn startup<'p>(version: Version, parameters: &'p [Parameter<'p>]) -> StartupMessage<'p> {
        StartupMessage { version, parameters: List::from(parameters) }
    }

    nul(refused(&Query { sql: "a\0b".into() }), 1);
    nul(
        refused(&startup(
            Version::V3_0,
            &[Parameter { name: "user".into(), value: "a\0database\0b".into() }],
        )),
        1,
    );
    nul(refused(&startup(Version::V3_0, &[Parameter { name: "us\0er".into(), value: "a".into() }])), 2);
    invalid(refused(&startup(Version::V3_0, &[Parameter { name: "".into(), value: "a".into() }])));
    invalid(refused(&startup(Version(0x0002_0000), &[])));
    invalid(refused(&startup(Version(80_877_103), &[])));

    let fields = |code, value: &'static str| [NoticeField { code, value: value.into() }];
    invalid(refused(&ErrorResponse { fields: List::from(&fields(0, "x")) }));
    nul(refused(&ErrorResponse { fields: List::from(&fields(b'M', "x\0y")) }), 1);

    for code in [-1, 256, i16::MIN] {
        invalid(refused(&CopyInResponse { format: Format(code), column_formats: List::EMPTY }));
    }

    // One meaning has one form.
    for byte in *b"ITE" {
        invalid(refused(&ReadyForQuery { status: TransactionStatus::Unknown(byte) }));
    }

    let mechanisms = ["SCRAM-SHA-256".into(), "".into()];
    invalid(refused(&Authentication::Sasl { mechanisms: List::from(&mechanisms) }));
    for code in [0, 2, 3, 5, 7, 8, 9, 10, 11, 12] {
        invalid(refused(&Authentication::Other { code, data: Secret::from(&b""[..]) }));
    }

    for length in [0, 3, 257] {
        invalid(refused(&BackendKeyData { process_id: 1, key: Secret::from(&[1; 300][..length]) }));
    }
    for length in [0, 257] {
        invalid(refused(&CancelRequest { process_id: 1, key: Secret::from(&[1; 300][..length]) }));
    }
}

/// Wherever the room ends, and whatever has been written by then.
#[test]
fn writers_without_room_take_everything_back() {
    fn row(out: &mut SliceOutput<'_>) -> Result<usize, EncodeError> {
        let mut row = DataRowWriter::begin(out)?;
        row.column(Some(b"12"))?;
        row.column(None)?;
        row.column_with(|out| out.put(b"345"))?;
        row.finish()
    }
    fn bind(out: &mut SliceOutput<'_>) -> Result<usize, EncodeError> {
        let formats = [Format::BINARY];
        let mut bind = BindWriter::begin(out, "p".into(), "s".into(), List::from(&formats))?;
        bind.parameter(Some(b"12"))?;
        bind.parameter_with(|out| out.put(b"345"))?;
        bind.finish(List::from(&formats))
    }
    fn copy(out: &mut SliceOutput<'_>) -> Result<usize, EncodeError> {
        let mut copy = CopyDataWriter::begin(out)?;
        copy.put(b"12")?;
        copy.put(b"345")?;
        copy.finish()
    }
    type Write = fn(&mut SliceOutput<'_>) -> Result<usize, EncodeError>;
    for (write, length) in
        [(row as Write, 5 + 2 + 6 + 4 + 7), (bind, 5 + 4 + 4 + 2 + 6 + 7 + 4), (copy, 5 + 5)]
    {
        for room in 0..=length {
            let mut memory = [0xaa; 64];
            let mut out = SliceOutput::new(&mut memory[..3 + room]);
            out.put(b"abc").expect("room");
            let expected = if room < length { Err(EncodeError::Full) } else { Ok(length) };
            assert_eq!(write(&mut out), expected, "{room}");
            assert_eq!(out.as_bytes().len(), if room < length { 3 } else { 3 + length });
        }
    }
}

/// An error inside of a value, whatever becomes of it, must not leave half a value behind as if it were whole.
#[test]
fn a_value_that_was_not_finished_spoils_its_message() {
    let mut out = b"before".to_vec();
    let mut row = DataRowWriter::begin(&mut out).expect("room");
    let failed: Result<(), EncodeError> = row.column_with(|out| {
        out.put(b"half")?;
        Err(EncodeError::Full)
    });
    assert_eq!(failed, Err(EncodeError::Full));
    assert!(row.column(Some(b"next")).is_err());
    assert!(row.finish().is_err());
    assert_eq!(out, b"before");

    let mut bind = BindWriter::begin(&mut out, "".into(), "".into(), List::EMPTY).expect("room");
    bind.parameter(Some(b"1")).expect("room");
    drop(bind);
    assert_eq!(out, b"before");
    assert!(BindWriter::begin(&mut out, "a\0".into(), "".into(), List::EMPTY).is_err());
    assert_eq!(out, b"before");
}
