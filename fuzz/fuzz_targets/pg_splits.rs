//! What comes out depends on the bytes, and never on how they were cut; and a long message says the same in
//! pieces as it says whole.
#![no_main]

use arbitrary::Unstructured;
use feedrate::pg::stream::{Begin, Event, Part, Streaming};
use feedrate::pg::{
    Backend, BackendLimits, Direction, EncryptionResponse, Error, Frame, Frontend, FrontendLimits, Problem,
    backend, frontend,
};
use feedrate::{Array, Decoder, Encode, Error as Severity, Fault, Grow, Protocol, Storage};
use feedrate_fuzz::pg::Visit;
use feedrate_fuzz::{Outcome, Plan, drive};
use feedrate_testkit::pg::streamed::{is_text, part_bytes};

const LARGE: u32 = 1 << 20;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    let mut made = Vec::new();
    let stream = if plan.flag(0) {
        make(plan.stream, plan.flag(1), &mut made);
        &made[..]
    } else {
        plan.stream
    };
    let plan = Plan { stream, ..plan };
    // Nothing is longer than the reference's storage.
    let backends = BackendLimits::new().long(LARGE - 1);
    let frontends = FrontendLimits::new().small(LARGE - 1).large(LARGE - 1);
    match (plan.flag(1), plan.flag(2)) {
        (false, false) => check(Backend::established().limits(backends), &plan, |_, _| ()),
        (false, true) => check(Backend::new().limits(backends), &plan, |_, _| ()),
        (true, false) => check(Frontend::established().limits(frontends), &plan, |_, _| ()),
        (true, true) => check(Frontend::new().limits(frontends), &plan, serve),
    }
});

/// A server that refuses encryption, whose choice of what comes next is made of the bytes alone.
fn serve(frontend: &mut Frontend, frame: &Item) {
    use frontend::Answer;
    let Item::Whole { name, .. } = frame else { return };
    match *name {
        "SSLRequest" | "GSSENCRequest" | "DirectTls" => {
            frontend.answered(EncryptionResponse::Refused, &[]).unwrap();
        }
        "StartupMessage" => frontend.expect(Answer::SaslInitial),
        "SASLInitialResponse" => frontend.expect(Answer::Sasl),
        "SASLResponse" => frontend.authenticated(),
        _ => {}
    }
}

/// Whole messages one behind the other, then noise in single bytes.
fn make(data: &[u8], of_frontend: bool, out: &mut Vec<u8>) {
    let mut u = Unstructured::new(data);
    let noise: [(u16, u8); 2] = u.arbitrary().unwrap_or_default();
    while !u.is_empty() && out.len() < 8192 {
        // One that is too long is left out.
        let _ = if of_frontend {
            u.arbitrary::<frontend::Message<'_>>().map(|message| message.encode(out))
        } else {
            u.arbitrary::<backend::Message<'_>>().map(|message| message.encode(out))
        };
    }
    for (place, bits) in noise {
        if let Some(byte) = out.get_mut(usize::from(place)) {
            *byte ^= bits;
        }
    }
}

/// What came out of a decoder, to be kept and compared.
#[derive(Debug, PartialEq)]
enum Item {
    Whole { raw: Vec<u8>, name: &'static str, good: bool },
    Begin(Begin),
    Part(Part),
    Bytes(Vec<u8>),
    End,
    Bad(Error),
}

fn whole<D: Direction>(frame: &Frame<'_, D>) -> Item {
    Item::Whole { raw: frame.raw().to_vec(), name: frame.name(), good: frame.message().is_ok() }
}

struct Record {
    items: Vec<Item>,
    outcome: Outcome<Error>,
}

fn check<D>(protocol: D, plan: &Plan<'_>, act: impl Fn(&mut D, &Item) + Copy)
where
    D: Visit + Clone,
{
    let large = || Grow::new(LARGE as usize);
    let reference = same(|| (protocol.clone(), large()), plan, |frame| whole(&frame), act);
    same(|| (protocol.clone(), Array::<64>::new()), plan, |frame| whole(&frame), act);

    let streaming = || Streaming::new(protocol.clone());
    let item = |event: Event<'_, D>| match event {
        Event::Whole(frame) => whole(&frame),
        Event::Begin(begin) => Item::Begin(begin),
        Event::Part(part) => Item::Part(part),
        Event::Bytes(bytes) => {
            assert!(!bytes.is_empty());
            Item::Bytes(bytes.to_vec())
        }
        Event::End => Item::End,
    };
    let act = |protocol: &mut Streaming<D>, item: &Item| act(protocol.direction_mut(), item);
    compare(&same(|| (streaming(), Array::<5>::new()), plan, item, act), &reference);
    compare(&same(|| (streaming(), Array::<16>::new()), plan, item, act), &reference);
    compare(&same(|| (streaming(), Array::<64>::new()), plan, item, act), &reference);
    let roomy = same(|| (streaming(), large()), plan, item, act);
    assert_eq!((roomy.items, roomy.outcome), (reference.items, reference.outcome));
}

/// Fed at once, in pieces, and byte by byte: the same.
fn same<P, S>(
    make: impl Fn() -> (P, S),
    plan: &Plan<'_>,
    item: impl Fn(P::Message<'_>) -> Item + Copy,
    act: impl Fn(&mut P, &Item) + Copy,
) -> Record
where
    P: Protocol<Error = Error>,
    S: Storage,
{
    let record = |sizes: &[u8]| {
        let (protocol, storage) = make();
        let mut items = Vec::new();
        let see = |_: usize, seen: Result<P::Message<'_>, Error>| seen.map_or_else(Item::Bad, item);
        let act = |protocol: &mut P, item: Item, _: &[u8]| {
            act(protocol, &item);
            match (item, items.last_mut()) {
                // Where a field's bytes are cut is the one thing that may depend on how they came.
                (Item::Bytes(more), Some(Item::Bytes(bytes))) => bytes.extend_from_slice(&more),
                (item, _) => items.push(item),
            }
        };
        let outcome = drive(&mut Decoder::new(protocol, storage), plan.stream, sizes, see, act);
        Record { items, outcome }
    };
    let reference = record(&[]);
    for sizes in [plan.sizes, &[1]] {
        let record = record(sizes);
        assert_eq!((&record.items, &record.outcome), (&reference.items, &reference.outcome));
    }
    reference
}

/// Put together again, the pieces are the messages that a large storage holds whole.
fn compare(streamed: &Record, reference: &Record) {
    let mut items = streamed.items.iter().peekable();
    let mut reference = reference.items.iter();
    let too_long = |error: &Error| matches!(error.problem(), Problem::Fault(Fault::TooLong { .. }));
    while let Some(item) = items.next() {
        let begin = match item {
            Item::Begin(begin) => begin,
            // Before authentication has ended it is refused alone, and `serve` does not learn what it said.
            Item::Bad(error) if too_long(error) => {
                assert!(matches!(reference.next(), Some(Item::Whole { .. }) | None));
                return;
            }
            _ => {
                assert_eq!(Some(item), reference.next());
                continue;
            }
        };
        let mut bytes = begin.raw().to_vec();
        // A string's NUL is known to be there only when something follows.
        let mut text = false;
        // What is wrong inside of an opaque body nobody sees.
        let mut opaque = false;
        let mut end = None;
        while let Some(item) = items.next_if(|_| end.is_none()) {
            match item {
                Item::Bytes(piece) => bytes.extend_from_slice(piece),
                Item::Bad(_) => end = Some(false),
                Item::Part(_) | Item::End => {
                    bytes.extend_from_slice(if text { &[0] } else { &[] });
                    text = matches!(item, Item::Part(part) if is_text(*part));
                    if let Item::Part(part) = item {
                        opaque |= *part == Part::Body;
                        bytes.extend(part_bytes(*part));
                    } else {
                        end = Some(true);
                    }
                }
                Item::Begin(_) | Item::Whole { .. } => panic!("{item:?} within a message"),
            }
        }
        match reference.next() {
            Some(Item::Whole { raw, good, .. }) => {
                // A bad message is known to be bad before its last byte has come.
                let good = *good || opaque;
                assert!(end == Some(good) || (end.is_none() && items.peek().is_none()));
                assert!(raw.starts_with(&bytes) && (!good || *raw == bytes));
            }
            // The stream ended inside of it.
            None => assert!(end != Some(true) && items.peek().is_none()),
            other => panic!("{begin:?} in place of {other:?}"),
        }
    }
    match &streamed.outcome.end {
        Err(Severity::Lost(error)) if too_long(error) => {}
        _ => assert_eq!(reference.next(), None),
    }
}
