//! What a client sends: [`Request`].

use feedrate::Encode;
use feedrate::pg::frontend::{
    Bind, Close, CopyData, CopyDone, CopyFail, Describe, Execute, Flush, FunctionCall, Parse, Query, Sync,
    Target, Terminate,
};

use super::portal::{ExecutePortal, Formats};
use crate::queue::{Entry, Kind};

/// A frontend's message that is sent on a session: [`Client::send`](super::Client::send).
pub trait Request: Encode + sealed::Request {}

pub(super) mod sealed {
    use super::Role;

    pub trait Request {
        fn role(&self) -> Role;
    }
}

/// What the client has to know of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It gets a response.
    Answered(Entry),
    /// It belongs to a COPY.
    Data,
    /// The last of a COPY.
    DataEnd,
    /// The same, of one that is given up.
    DataFail,
    Flush,
    Terminate,
}

macro_rules! requests {
    ($($Message:ty: |$message:pat_param| $role:expr;)*) => {
        $(
            impl Request for $Message {}
            impl sealed::Request for $Message {
                fn role(&self) -> Role {
                    let $message = self;
                    $role
                }
            }
        )*
    };
}

const fn answered(kind: Kind) -> Role {
    noted(kind, 0)
}

const fn noted(kind: Kind, note: u8) -> Role {
    Role::Answered(Entry { kind, treatment: crate::queue::Treatment::Forward, note })
}

requests! {
    Query<'_>: |_| answered(Kind::Query);
    FunctionCall<'_>: |_| answered(Kind::FunctionCall);
    Parse<'_>: |_| answered(Kind::Parse);
    Bind<'_>: |_| answered(Kind::Bind);
    Describe<'_>: |describe| answered(match describe.target {
        Target::Statement(_) => Kind::DescribeStatement,
        Target::Portal(_) => Kind::DescribePortal,
    });
    // Whose formats nobody has said.
    Execute<'_>: |_| noted(Kind::Execute, Formats::Mixed.note());
    ExecutePortal<'_>: |execute| noted(Kind::Execute, execute.formats.note());
    Close<'_>: |_| answered(Kind::Close);
    Sync: |_| answered(Kind::Sync);
    Flush: |_| Role::Flush;
    CopyData<'_>: |_| Role::Data;
    CopyDone: |_| Role::DataEnd;
    CopyFail<'_>: |_| Role::DataFail;
    Terminate: |_| Role::Terminate;
}

impl<R: Request + ?Sized> Request for &R {}
impl<R: sealed::Request + ?Sized> sealed::Request for &R {
    fn role(&self) -> Role {
        (**self).role()
    }
}
