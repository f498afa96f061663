//! One source of limits for both directions: what can be read under limits can be written under them, and
//! the other way round. What is longer is refused before its first byte is put.

use feedrate::pg::backend::{
    self, Authentication, DataRow, ErrorResponse, Field, NoticeField, ParameterDescription, RowDescription,
};
use feedrate::pg::frontend::{
    self, Answer, Bind, CopyData, CopyDone, CopyFail, FunctionCall, Parameter, Parse, Query,
    SASLInitialResponse, SASLResponse, StartupMessage,
};
use feedrate::pg::writer::{BindWriter, CopyDataWriter, DataRowWriter};
use feedrate::pg::{Backend, BackendLimits, Frontend, FrontendLimits, List, Secret, Text, Version};
use feedrate::{Decoder, Encode, EncodeError, Grow, Output};
use feedrate_testkit::pg::Side;
use feedrate_testkit::pg::vectors::{self, Good};

const LARGE: usize = 0x4000_0002;
const LONG: usize = 0x7fff_ffff;

/// Counts what is asked of it.
#[derive(Default)]
struct Watched {
    bytes: Vec<u8>,
    puts: usize,
    places: bool,
}

impl Output for Watched {
    fn written(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    fn length(&self) -> usize {
        self.bytes.len()
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.puts += 1;
        Output::put(&mut self.bytes, bytes)
    }

    fn truncate(&mut self, length: usize) {
        self.bytes.truncate(length);
    }

    fn place(&mut self, size: usize) -> Result<Option<&mut [u8]>, EncodeError> {
        if !self.places {
            return Ok(None);
        }
        self.puts += 1;
        self.bytes.place(size)
    }
}

/// The error of a message that is refused before its first byte.
fn refused(message: &impl Encode) -> EncodeError {
    let refused = [false, true].map(|places| {
        let mut out = Watched { bytes: b"before".to_vec(), puts: 0, places };
        let error = message.encode(&mut out).expect_err("it is too long");
        assert_eq!((out.puts, &out.bytes[..]), (0, &b"before"[..]), "{error:?}");
        assert_eq!(message.encoded_length(), Err(error));
        error
    });
    assert_eq!(refused[0], refused[1]);
    refused[0]
}

fn is_too_large(error: EncodeError, size: usize, limit: usize) {
    assert!(
        matches!(error, EncodeError::TooLarge { size: s, limit: l, .. } if (s, l) == (size, limit)),
        "{error:?}, expected {size} > {limit}"
    );
}

fn zeros(n: usize) -> Vec<u8> {
    // Never looked at, so that no memory is behind it.
    vec![0; n]
}

#[test]
fn what_is_too_long_is_refused_before_its_first_byte() {
    let zeros = zeros(256 << 20);
    let n = zeros.len();
    // The sums do not fit into a length field, and wrapped ones would (CVE-2024-27304).
    let values = [Some(&zeros[..]); 20];
    let bind = Bind {
        portal: "".into(),
        statement: "".into(),
        parameter_formats: List::EMPTY,
        parameters: List::from(&values),
        result_formats: List::EMPTY,
    };
    is_too_large(refused(&bind), 4 + 2 + 2 + 2 + 2 + 20 * (4 + n), LARGE);
    is_too_large(refused(&DataRow { columns: List::from(&values) }), 4 + 2 + 20 * (4 + n), LONG);
    let call = FunctionCall {
        function: 1,
        argument_formats: List::EMPTY,
        arguments: List::from(&values),
        result_format: feedrate::pg::Format::TEXT,
    };
    is_too_large(refused(&call), 4 + 4 + 2 + 2 + 20 * (4 + n) + 2, LARGE);

    let long = "x".repeat(70_000);
    let text = |n: usize| Text::from(&long[..n]);
    let fail = frontend::Message::from(CopyFail { reason: text(9_996) });
    is_too_large(refused(&fail.within(&FrontendLimits::since_14())), 10_001, 10_000);
    let parameters = [Parameter { name: "user".into(), value: text(9_990) }];
    let startup = StartupMessage { version: Version::V3_0, parameters: List::from(&parameters) };
    is_too_large(refused(&startup), 10_005, 10_004);
    let token = Secret::from(&long.as_bytes()[..65_532]);
    is_too_large(refused(&SASLResponse { data: token }), 65_536, 65_535);
    let initial = SASLInitialResponse { mechanism: "SCRAM-SHA-256".into(), data: Some(token) };
    is_too_large(refused(&initial), 65_536 + 14 + 4, 65_535);
    let challenge = Authentication::SaslContinue { data: Secret::from(&long.as_bytes()[..65_528]) };
    is_too_large(refused(&challenge), 65_536, 65_535);

    // Those for which a gigabyte of text would be needed.
    let (name, fields) = (text(1_000), [NoticeField { code: b'M', value: text(1_000) }]);
    let frontends = FrontendLimits::new().large(1_000);
    let backends = BackendLimits::new().early_report(10).long(1_000);
    let parse = Parse { statement: name, sql: "".into(), parameter_types: List::EMPTY };
    let columns = [Field { name, ..Field::default() }];
    for (message, size) in [
        (Query { sql: name }.into(), 4 + 1_001),
        (parse.into(), 4 + 1_001 + 1 + 2),
        (CopyData { data: name.as_bytes() }.into(), 1_004),
    ] as [(frontend::Message<'_>, usize); 3]
    {
        is_too_large(refused(&message.within(&frontends)), size, 1_000);
        assert_eq!(message.encoded_length(), Ok(size + 1));
    }
    for (message, size) in [
        (ErrorResponse { fields: List::from(&fields) }.into(), 4 + 1 + 1_001 + 1),
        (RowDescription { fields: List::from(&columns) }.into(), 4 + 2 + 1_001 + 18),
    ] as [(backend::Message<'_>, usize); 2]
    {
        is_too_large(refused(&message.within(&backends)), size, 1_000);
        assert_eq!(message.encoded_length(), Ok(size + 1));
    }
    // Nor is a byte put of what is refused for another reason.
    assert!(matches!(refused(&Query { sql: "a\0b".into() }), EncodeError::InteriorNul { at: 1, .. }));
}

trait Limited: Side {
    type Limits: Copy;
    const FIELDS: usize;

    /// Limits of which the one of this index is `each`, and the others are `others`.
    fn one(index: usize, each: u32, others: u32) -> Self::Limits;
    fn with(self, limits: Self::Limits) -> Self;
    fn within(message: &Self::Owned, limits: Self::Limits) -> impl Encode + '_;
}

impl Limited for Backend {
    type Limits = BackendLimits;
    const FIELDS: usize = 4;

    fn one(index: usize, each: u32, others: u32) -> BackendLimits {
        let [authentication, early_report, short, long] =
            std::array::from_fn(|i| if i == index { each } else { others });
        BackendLimits::new().authentication(authentication).early_report(early_report).short(short).long(long)
    }

    fn with(self, limits: BackendLimits) -> Self {
        self.limits(limits)
    }

    fn within(message: &Self::Owned, limits: BackendLimits) -> impl Encode + '_ {
        message.within(&limits)
    }
}

impl Limited for Frontend {
    type Limits = FrontendLimits;
    const FIELDS: usize = 5;

    fn one(index: usize, each: u32, others: u32) -> FrontendLimits {
        let [startup, authentication, scram, small, large] =
            std::array::from_fn(|i| if i == index { each } else { others });
        FrontendLimits::new()
            .startup(startup)
            .authentication(authentication)
            .scram(scram)
            .small(small)
            .large(large)
    }

    fn with(self, limits: FrontendLimits) -> Self {
        self.limits(limits)
    }

    fn within(message: &Self::Owned, limits: FrontendLimits) -> impl Encode + '_ {
        message.within(&limits)
    }
}

/// A frontend that has chosen SCRAM, where the next message is shorter than of other mechanisms.
fn scram() -> Frontend {
    let mut decoder = Decoder::new(Frontend::new(), Grow::new(1_000));
    let mut startup = vectors::STARTUP;
    decoder.feed(&mut startup).expect("a message");
    decoder.protocol_mut().expect(Answer::SaslInitial);
    let mut initial = &b"p\0\0\0\x16SCRAM-SHA-256\0\xff\xff\xff\xff"[..];
    assert!(decoder.feed(&mut initial).expect("a message").is_some());
    decoder.protocol_mut().expect(Answer::Sasl);
    decoder.protocol_mut().clone()
}

/// Every vector, under limits that are exactly enough for it or one less, and that are low or high for all
/// other kinds: it can be written if, and only if, it can be read in one of the phases of a connection.
#[test]
fn what_can_be_read_can_be_written_and_the_other_way_round() {
    fn reads<D: Limited>(start: &D, limits: D::Limits, row: &Good<D, D::Owned>) -> bool {
        let mut decoder = Decoder::new(start.clone().with(limits), Grow::new(1 << 20));
        let mut input = &row.bytes[..];
        matches!(decoder.feed(&mut input), Ok(Some(frame)) if frame.raw() == row.bytes && D::is(&frame, &row.message))
    }
    // Not so high that the text of an error could be a length.
    const HIGH: u32 = 1 << 20;
    fn check<D: Limited>(rows: &[Good<D, D::Owned>], starts: &[D]) -> [usize; 2] {
        let mut counts = [0; 2];
        for row in rows.iter().filter(|row| row.bytes.len() < 5_000) {
            let n = row.bytes.len() as u32;
            for index in 0..D::FIELDS {
                for limit in [0, 3, n.saturating_sub(2), n.saturating_sub(1), n, n + 1, HIGH] {
                    for others in [0, n.saturating_sub(1), n, HIGH] {
                        let limits = D::one(index, limit, others);
                        let readable = starts.iter().any(|start| reads(start, limits, row));
                        let written = D::within(&row.message, limits);
                        let mut out = Vec::new();
                        let result = written.encode(&mut out);
                        assert_eq!(result, written.encoded_length());
                        assert_eq!(
                            result.is_ok(),
                            readable,
                            "{:?}: {result:?}, limit {index} is {limit}, others {others}",
                            row.message
                        );
                        assert!(result.is_err() || out == row.bytes);
                        if result.is_err() {
                            refused(&written);
                        }
                        counts[usize::from(readable)] += 1;
                    }
                }
            }
        }
        counts
    }
    let (backends, frontends) = (vectors::backend(), vectors::frontend());
    let phases: Vec<_> = backends.iter().map(|row| row.start.clone()).collect();
    let backends = check(&backends, &phases);
    let phases: Vec<_> = frontends.iter().map(|row| row.start.clone()).chain([scram()]).collect();
    let counts = [backends, check(&frontends, &phases)];
    assert!(counts.as_flattened().iter().all(|count| *count > 500), "{counts:?}");
}

/// Whether the header of a message of this length is accepted.
fn declared<D: Side>(start: D, tag: u8, length: usize) -> bool {
    let mut decoder = Decoder::new(start, Grow::new(usize::MAX));
    let header = [&[tag][..], &(length as u32).to_be_bytes()].concat();
    decoder.feed(&mut &header[..]).is_ok()
}

/// The default limits, at their boundaries. Only measured, so that no gigabyte is written.
#[test]
fn the_default_limits_are_the_same_in_both_directions() {
    fn agree(message: &impl Encode, length: usize, declared: bool) {
        let expected = if declared { Ok(length + 1) } else { Err(()) };
        assert_eq!(message.encoded_length().map_err(drop), expected, "{length}");
    }
    let zeros = zeros(LONG);
    for length in [1 << 30, LARGE - 1, LARGE, LARGE + 1, LONG - 1, LONG, LONG + 1] {
        let data = CopyData { data: &zeros[..length - 4] };
        let (backend, frontend) =
            (declared(Backend::established(), b'd', length), declared(Frontend::established(), b'd', length));
        assert_eq!((backend, frontend), (length <= LONG, length <= LARGE));
        agree(&backend::Message::from(data), length, backend);
        agree(&frontend::Message::from(data), length, frontend);
        // One that does not say where it goes is allowed what either direction is.
        agree(&data, length, backend || frontend);
        agree(&DataRow { columns: List::from(&[Some(&zeros[..length - 10])]) }, length, backend);
        let parameters = [Some(&zeros[..length - 16])];
        let bind = Bind {
            portal: "".into(),
            statement: "".into(),
            parameter_formats: List::EMPTY,
            parameters: List::from(&parameters),
            result_formats: List::EMPTY,
        };
        agree(&bind, length, frontend);
    }
    assert_eq!(frontend::Message::from(CopyDone).encoded_length(), Ok(5));
    // A limit beyond what an Int32 can say allows what one can say.
    let limits = BackendLimits::new().long(u32::MAX);
    for length in [LONG, LONG + 1] {
        let columns = [Some(&zeros[..length - 10])];
        let row = backend::Message::from(DataRow { columns: List::from(&columns) });
        agree(&row.within(&limits), length, declared(Backend::established().limits(limits), b'D', length));
        assert_eq!(row.within(&limits).encoded_length().is_ok(), length == LONG);
    }

    let long = "x".repeat(70_000);
    for length in [9_999, 10_000, 10_001, 20_000] {
        let fail = CopyFail { reason: long[..length - 5].into() };
        agree(&fail, length, true);
        for limits in [FrontendLimits::new(), FrontendLimits::since_14(), FrontendLimits::new().small(9_999)]
        {
            let readable = declared(Frontend::established().limits(limits), b'f', length);
            agree(&frontend::Message::from(fail).within(&limits), length, readable);
        }
    }
    for length in [29_999, 30_000, 30_001] {
        let complete = backend::CommandComplete { tag: long[..length - 5].into() };
        agree(&complete, length, declared(Backend::established(), b'C', length));
    }
    for length in [2_001, 65_534, 65_535, 65_536] {
        let request = Authentication::SaslContinue { data: Secret::from(&long.as_bytes()[..length - 8]) };
        agree(&request, length, declared(Backend::new(), b'R', length));
    }
}

/// The longest that any server from PostgreSQL 10 to 18 takes or says, by its sources; those before 14 know no
/// difference of small and large messages (`pq_getmessage(inBuf, 0)`).
#[test]
fn no_default_limit_is_stricter_than_a_server() {
    for tag in *b"BCDEFHPQSXcdf" {
        assert!(declared(Frontend::established(), tag, 4 + 0x3fff_ffff - 1), "{}", char::from(tag));
    }
    // A traceback of psycopg, as it is given up.
    let traceback = "x".repeat(20_000);
    let fail = CopyFail { reason: traceback.as_str().into() };
    let mut bytes = Vec::new();
    assert_eq!(fail.encode(&mut bytes), Ok(20_006));
    assert_eq!(bytes[..5], *b"f\0\0\x4e\x25");
    let mut decoder = Decoder::new(Frontend::established(), Grow::new(1 << 20));
    let frame = decoder.feed(&mut &bytes[..]).expect("good").expect("whole");
    assert_eq!(frame.message(), Ok(fail.into()));

    for answer in [None, Some(Answer::Password), Some(Answer::SaslInitial), Some(Answer::Gss)] {
        assert!(declared(vectors::authenticating(answer), b'p', 65_535));
    }
    assert!(declared(scram(), b'p', 1_024));
    let mut startup = &b"\0\0\x27\x14\0\x03\0\0"[..];
    assert!(Decoder::new(Frontend::new(), Grow::new(usize::MAX)).feed(&mut startup).is_ok());

    // All that a StartupMessage has room for is one protocol option.
    assert!(declared(Backend::new(), b'v', 4 + 4 + 4 + 10_000 - 4 - 1 - 1));
    assert!(declared(Backend::new(), b'R', 65_535), "a token of GSSAPI");
    // The longest parameter that a bad StartupMessage can have quoted.
    assert!(declared(Backend::new(), b'E', 10_000 + 200));
    // Since 18 `search_path` is reported.
    for tag in *b"ADENSTVd" {
        assert!(declared(Backend::established(), tag, LONG), "{}", char::from(tag));
    }
    assert!(declared(Backend::established(), b't', 6 + 4 * 65_535));
    for tag in *b"GHW" {
        assert!(declared(Backend::established(), tag, 4 + 1 + 2 + 2 * 1_664), "{}", char::from(tag));
    }
}

/// What servers since 14 refuse.
#[test]
fn the_limits_since_14() {
    let since_14 = Frontend::established().limits(FrontendLimits::since_14());
    for (tags, limit) in [(&b"CDEHSXcf"[..], 10_000), (b"BFPQd", 0x3fff_fffe)] {
        for tag in tags {
            assert!(declared(since_14.clone(), *tag, limit), "{}", char::from(*tag));
            assert!(!declared(since_14.clone(), *tag, limit + 1), "{}", char::from(*tag));
        }
    }
    let (new, since_14) = (FrontendLimits::new(), FrontendLimits::since_14());
    assert_eq!(since_14, new.small(since_14.small).large(since_14.large));
}

/// A writer that was begun under limits refuses the part that goes beyond them, before it puts it.
#[test]
fn writers_refuse_at_the_part_that_is_too_long() {
    let (backends, frontends) = (BackendLimits::new().long(30), FrontendLimits::new().large(30));
    let value = [7; 20];
    for n in 0..=20 {
        let fits = n <= 16;
        let mut out = Watched::default();
        let mut row = DataRowWriter::begin_within(&mut out, &backends).expect("room");
        row.column(None).expect("it fits");
        let written = row.column(Some(&value[..n]));
        assert_eq!(written.is_ok(), fits);
        let finished = row.finish();
        assert_eq!(finished.is_ok(), fits);
        assert_eq!(finished.err(), written.err());
        assert_eq!((out.puts, out.bytes.len()), if fits { (5, 15 + n) } else { (3, 0) });

        let mut made = Vec::new();
        let mut row = DataRowWriter::begin_within(&mut made, &backends).expect("room");
        row.column(None).expect("it fits");
        assert_eq!(row.column_with(|out| out.put(&value[..n])).is_ok(), fits);
        assert_eq!(row.finish().is_ok(), fits);
        assert_eq!(made, out.bytes);

        // The two bytes of the result formats are behind it.
        let fits = n <= 14;
        let mut out = Watched::default();
        let empty = ("".into(), "".into(), List::EMPTY);
        let mut bind =
            BindWriter::begin_within(&mut out, &frontends, empty.0, empty.1, empty.2).expect("room");
        assert_eq!(bind.parameter(Some(&value[..n])).is_ok(), n <= 16);
        let written = bind.finish(List::EMPTY);
        assert_eq!(written.is_ok(), fits);
        let (puts, length) = match n {
            ..=14 => (10, 17 + n),
            15..=16 => (9, 0),
            _ => (7, 0),
        };
        assert_eq!((out.puts, out.bytes.len()), (puts, length));

        for limit in 0..30 {
            let (backends, frontends) =
                (BackendLimits::new().long(limit), FrontendLimits::new().large(limit));
            let fits = 4 + n <= limit as usize;
            let mut outs = [Watched::default(), Watched::default()];
            let [a, b] = &mut outs;
            let written =
                [CopyDataWriter::begin_within(a, &backends), CopyDataWriter::begin_within(b, &frontends)]
                    .map(|copy| copy.and_then(|mut copy| copy.put(&value[..n]).and_then(|()| copy.finish())));
            let data = CopyData { data: &value[..n] };
            let whole = backend::Message::from(data).within(&backends).encode(&mut Vec::new());
            assert_eq!((written[0].is_ok(), written[0].ok()), (fits, whole.ok()));
            let whole = frontend::Message::from(data).within(&frontends).encode(&mut Vec::new());
            assert_eq!((written[1].is_ok(), written[1].ok()), (fits, whole.ok()));
            for out in outs {
                assert_eq!(
                    (out.puts, out.bytes.len()),
                    if fits { (2, 5 + n) } else { (usize::from(limit >= 4), 0) }
                );
            }
        }
        let name: Text<'_> = "0123456789012345678"[..n.min(19)].into();
        let mut out = Watched::default();
        let begun = BindWriter::begin_within(&mut out, &frontends, name, "".into(), List::EMPTY);
        let bound = begun.and_then(|bind| bind.finish(List::EMPTY));
        assert_eq!(bound.is_ok(), 12 + n.min(19) <= 30);
    }

    // By default: a value that is one byte too long is not put.
    let zeros = zeros(LONG - 6 - 4 + 1);
    let mut out = Watched::default();
    let mut row = DataRowWriter::begin(&mut out).expect("room");
    is_too_large(row.column(Some(&zeros)).expect_err("too long"), LONG + 1, LONG);
    drop(row);
    assert_eq!((out.puts, out.bytes.len()), (2, 0));
}

/// It is allowed more than other short messages, but no more than long ones.
#[test]
fn a_description_of_parameters_is_no_longer_than_long_messages_may_be() {
    let types = [23; 30];
    let description = backend::Message::from(ParameterDescription { types: List::from(&types) });
    let mut bytes = Vec::new();
    description.encode(&mut bytes).expect("within the default limits");
    for (long, allowed) in [(126, true), (125, false)] {
        let limits = BackendLimits::new().short(10).long(long);
        let mut decoder = Decoder::new(Backend::established().limits(limits), Grow::new(1_000));
        assert_eq!(decoder.feed(&mut &bytes[..]).is_ok(), allowed);
        assert_eq!(description.within(&limits).encode(&mut Vec::new()).is_ok(), allowed);
    }
}
