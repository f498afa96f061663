//! Which messages answer a request: the grammar of a session, one request at a time.

use feedrate::pg::backend::{
    BindComplete, CloseComplete, CommandComplete, CopyBothResponse, CopyData, CopyDone, CopyInResponse,
    CopyOutResponse, DataRow, EmptyQueryResponse, FunctionCallResponse, NoData, ParameterDescription,
    ParseComplete, PortalSuspended, ReadyForQuery, RowDescription,
};

use crate::queue::Kind;

/// How far the response to the oldest request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// Nothing of it has come.
    Start,
    /// The parameters of a statement were described, its rows were not yet.
    Described,
    /// Rows come.
    Rows,
    /// The server waits for the data of a COPY, or reads them.
    CopyIn,
    /// The data of a COPY come.
    CopyOut,
    /// Data go both ways.
    CopyBoth,
    /// A result is complete. What follows is another one, or ReadyForQuery.
    Between,
    /// An error came. ReadyForQuery follows.
    Failed,
}

pub(super) enum Next {
    /// More comes.
    To(At),
    /// The response is complete.
    Done,
}

/// Where a message of this type leads to. `None`: it may not come here.
///
/// Errors are not in it, nor what may come at any time.
pub(super) fn next(kind: Kind, at: At, tag: u8) -> Option<Next> {
    use Next::{Done, To};
    Some(match (kind, at, tag) {
        (Kind::Parse, At::Start, ParseComplete::TAG)
        | (Kind::Bind, At::Start, BindComplete::TAG)
        | (Kind::Close, At::Start, CloseComplete::TAG)
        | (Kind::DescribeStatement, At::Described, RowDescription::TAG | NoData::TAG)
        | (Kind::DescribePortal, At::Start, RowDescription::TAG | NoData::TAG) => Done,
        (Kind::DescribeStatement, At::Start, ParameterDescription::TAG) => To(At::Described),

        (Kind::Execute, At::Start | At::Rows, DataRow::TAG) => To(At::Rows),
        (Kind::Execute, At::Start | At::Rows, CommandComplete::TAG | PortalSuspended::TAG)
        | (Kind::Execute, At::Start, EmptyQueryResponse::TAG)
        | (Kind::Execute, At::CopyIn | At::Between, CommandComplete::TAG) => Done,

        (Kind::Query, At::Start | At::Between, RowDescription::TAG) => To(At::Rows),
        (Kind::Query, At::Rows, DataRow::TAG) => To(At::Rows),
        // In COPY BOTH a server may end at once, and a physical one that came to the end of its timeline tells that in
        // a row and a second CommandComplete.
        (
            Kind::Query,
            At::Start | At::Rows | At::CopyIn | At::CopyBoth | At::Between,
            CommandComplete::TAG,
        )
        | (Kind::Query, At::Start | At::Between, EmptyQueryResponse::TAG) => To(At::Between),

        (Kind::Query | Kind::Execute, At::Start, CopyInResponse::TAG)
        | (Kind::Query, At::Between, CopyInResponse::TAG) => To(At::CopyIn),
        (Kind::Query | Kind::Execute, At::Start, CopyOutResponse::TAG)
        | (Kind::Query, At::Between, CopyOutResponse::TAG)
        | (Kind::Query | Kind::Execute, At::CopyOut, CopyData::TAG) => To(At::CopyOut),
        (Kind::Query | Kind::Execute, At::CopyOut, CopyDone::TAG) => To(At::Between),
        // Servers from 13 on may send data behind their own CopyDone.
        (Kind::Query, At::Start | At::Between, CopyBothResponse::TAG)
        | (Kind::Query, At::CopyBoth, CopyData::TAG | CopyDone::TAG) => To(At::CopyBoth),
        (Kind::Query, At::CopyBoth, RowDescription::TAG) => To(At::Rows),

        (Kind::FunctionCall, At::Start, FunctionCallResponse::TAG) => To(At::Between),
        (Kind::Query | Kind::FunctionCall, At::Between | At::Failed, ReadyForQuery::TAG)
        | (Kind::Sync, At::Start | At::Failed, ReadyForQuery::TAG) => Done,
        _ => return None,
    })
}

/// The same behind a Sync of which nobody knows how many ReadyForQuery come: an empty Query was sent with it, whose
/// response says where they end.
pub(super) fn next_of_marked(at: At, tag: u8) -> Option<Next> {
    Some(match (at, tag) {
        (At::Start | At::Failed, ReadyForQuery::TAG) => Next::To(At::Start),
        (At::Start, EmptyQueryResponse::TAG) => Next::To(At::Between),
        (At::Between, ReadyForQuery::TAG) => Next::Done,
        _ => return None,
    })
}
