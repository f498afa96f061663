//! What the server has sent of its response to one message, and what may follow.

use super::expected::Set;
use crate::queue::Kind;

/// Where the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It has been asked for nothing.
    Idle,
    /// It discards everything up to the next Sync.
    Skip,
    // The next ones have been asked for, and nothing of the response has come.
    Parse,
    Bind,
    DescribeStatement,
    DescribePortal,
    Close,
    Execute,
    Query,
    Function,
    Sync,
    /// A message that must fail, and makes the server skip.
    Bad,
    /// A message that must fail, and gets a ReadyForQuery.
    BadCall,
    // These have begun.
    /// ParameterDescription has come.
    Described,
    /// Rows of Execute.
    Executing,
    /// Rows of Query.
    Rows,
    /// A statement of Query is complete.
    Next,
    /// Only ReadyForQuery can follow, or an error.
    End,
    /// An error has come, and ReadyForQuery follows.
    Failed,
    CopyIn,
    /// The frontend's CopyDone has come.
    CopyInDone,
    /// The frontend's CopyFail has come.
    CopyInFailed,
    /// The frontend's next message is none that a COPY has.
    CopyInBroken,
    CopyOut,
    CopyOutDone,
    CopyBoth,
    /// The frontend's CopyDone has come, the server's has not.
    CopyBothFrontendDone,
    /// The other way round.
    CopyBothBackendDone,
    CopyBothDone,
}

/// What a message of the server makes of its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Step(Step),
    /// The response is complete.
    Done,
    /// An error, by which the rest of the response is dropped.
    Failed,
}

/// What else decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Context {
    /// On a replication connection: its commands, and no extended queries.
    pub(super) replication: bool,
    /// There, the frontend has sent messages of a COPY outside of any.
    pub(super) stray: bool,
    /// A message in COPY IN that does not belong there is dropped, and the session goes on.
    pub(super) eats: bool,
}

/// A limit of rows.
pub(super) mod rows {
    pub(in super::super) const ALL: u32 = u32::MAX;
    pub(in super::super) const UNKNOWN: u32 = ALL - 1;
}

impl Step {
    /// The step before the first message of the response.
    pub(super) fn first(kind: Kind, context: Context) -> Self {
        let extended = |step| if context.replication { Self::Bad } else { step };
        match kind {
            Kind::Parse => extended(Self::Parse),
            Kind::Bind => extended(Self::Bind),
            Kind::DescribeStatement => extended(Self::DescribeStatement),
            Kind::DescribePortal => extended(Self::DescribePortal),
            Kind::Execute | Kind::ExecuteUpTo(_) => extended(Self::Execute),
            Kind::Close => extended(Self::Close),
            Kind::Sync => Self::Sync,
            Kind::MalformedSync => Self::BadCall,
            Kind::Query => Self::Query,
            Kind::FunctionCall if context.replication => Self::BadCall,
            Kind::FunctionCall => Self::Function,
            Kind::MalformedFlush => Self::Bad,
            // Silent.
            Kind::Flush | Kind::CopyData | Kind::CopyDone | Kind::CopyFail => Self::Idle,
        }
    }
}

impl Step {
    /// Whether nothing of the response has come.
    pub(super) const fn is_first(self) -> bool {
        !matches!(
            self,
            Self::Described
                | Self::Executing
                | Self::Rows
                | Self::Next
                | Self::End
                | Self::Failed
                | Self::CopyIn
                | Self::CopyInDone
                | Self::CopyInFailed
                | Self::CopyInBroken
                | Self::CopyOut
                | Self::CopyOutDone
                | Self::CopyBoth
                | Self::CopyBothFrontendDone
                | Self::CopyBothBackendDone
                | Self::CopyBothDone
        )
    }

    /// What a message of the server leads to; `None`: it may not come. `rows` is what is left of Execute's limit, and
    /// `extended` says that it is an extended query whose response this is.
    // ErrorResponse may come everywhere in a response, as memory can be short everywhere.
    pub(super) fn next(self, tag: u8, rows: u32, extended: bool, context: Context) -> Option<Next> {
        let may_end = rows > 0;
        let complete = if extended { Next::Done } else { Next::Step(Self::Next) };
        Some(match (self, tag) {
            (Self::Idle | Self::Skip | Self::Failed, b'E') => return None,
            (_, b'E') => Next::Failed,
            (Self::Parse, b'1') | (Self::Bind, b'2') | (Self::Close, b'3') => Next::Done,
            (Self::DescribeStatement, b't') => Next::Step(Self::Described),
            (Self::Described | Self::DescribePortal, b'T' | b'n') => Next::Done,
            // PortalSuspended comes exactly when the limit is reached, CommandComplete only before.
            (Self::Execute | Self::Executing, b'D') if may_end => Next::Step(Self::Executing),
            (Self::Execute | Self::Executing, b'C') if may_end => Next::Done,
            (Self::Execute | Self::Executing, b's') if rows == 0 || rows == rows::UNKNOWN => Next::Done,
            (Self::Execute, b'I') => Next::Done,
            (Self::Query, b'I') => Next::Step(Self::End),
            (Self::Query | Self::Next, b'T') => Next::Step(Self::Rows),
            (Self::Query | Self::Next | Self::Rows, b'C') => Next::Step(Self::Next),
            // A rule can add further row sets to a statement.
            (Self::Rows, b'D' | b'T') => Next::Step(Self::Rows),
            (Self::Query | Self::Next | Self::Execute, b'G') => Next::Step(Self::CopyIn),
            (Self::Query | Self::Next | Self::Execute, b'H') => Next::Step(Self::CopyOut),
            (Self::Query | Self::Next, b'W') if context.replication => Next::Step(Self::CopyBoth),
            // CREATE_REPLICATION_SLOT reads what was sent ahead as if it were a standby's.
            (Self::Query | Self::Next, b'd' | b'c') if context.stray => Next::Step(self),
            (Self::Next | Self::End | Self::Failed | Self::Sync, b'Z') => Next::Done,
            (Self::Function, b'V') => Next::Step(Self::End),
            (Self::CopyInDone | Self::CopyOutDone, b'C') => complete,
            (Self::CopyOut, b'd') => Next::Step(self),
            (Self::CopyOut, b'c') => Next::Step(Self::CopyOutDone),
            // BASE_BACKUP goes on without CommandComplete.
            (Self::CopyOutDone, b'T') if context.replication => Next::Step(Self::Rows),
            (Self::CopyOutDone, b'H') if context.replication => Next::Step(Self::CopyOut),
            // Since 13, data can come after the server's own CopyDone.
            (
                Self::CopyBoth | Self::CopyBothFrontendDone | Self::CopyBothBackendDone | Self::CopyBothDone,
                b'd',
            ) => Next::Step(self),
            (Self::CopyBoth, b'c') => Next::Step(Self::CopyBothBackendDone),
            (Self::CopyBothFrontendDone, b'c') => Next::Step(Self::CopyBothDone),
            // Without CopyDone when the server shuts down, and when it streams logically for the second time.
            (
                Self::CopyBoth | Self::CopyBothFrontendDone | Self::CopyBothBackendDone | Self::CopyBothDone,
                b'C',
            ) => Next::Step(Self::Next),
            // The next timeline.
            (Self::CopyBothDone, b'T') => Next::Step(Self::Rows),
            _ => return None,
        })
    }

    /// What a frontend may send, by this step alone.
    pub(super) const fn frontend(self, copy_ahead: bool, context: Context) -> Set {
        const COPY: Set = Set::of(b"dcf");
        const ANY: Set = Set::of(b"PBDCEHSQFX");
        const REPLICATION: Set = Set::of(b"HSQX");
        let commands = if context.replication { REPLICATION } else { ANY };
        match self {
            Self::CopyIn => COPY.with(Set::of(b"HSX")),
            Self::CopyBoth | Self::CopyBothBackendDone => Set::of(b"dcX"),
            Self::CopyBothFrontendDone => Set::of(b"X"),
            _ if copy_ahead || self.may_copy_in() => commands.with(COPY),
            _ => commands,
        }
    }

    /// Whether a COPY from the frontend can still begin in this response, or the frontend cannot know that it does not.
    pub(super) const fn may_copy_in(self) -> bool {
        matches!(
            self,
            Self::Skip | Self::Execute | Self::Query | Self::Rows | Self::Next | Self::CopyIn | Self::CopyOut
        )
    }

    /// Whether the frontend's data go on in this COPY.
    pub(super) const fn takes_data(self) -> bool {
        matches!(self, Self::CopyIn | Self::CopyBoth | Self::CopyBothBackendDone)
    }
}
