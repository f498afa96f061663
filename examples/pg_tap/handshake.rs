//! What the two directions tell each other.
//!
//! A frontend's `p` messages cannot be read without knowing what the backend asked for, and nothing else may
//! come before the backend has sent AuthenticationOk. So the backend's direction records here what the frontend's
//! direction needs.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use feedrate::pg::backend::{Authentication, Frame, Message};
use feedrate::pg::frontend::{Answer, AuthenticationResponse, Terminate};
use feedrate::pg::{Error, Frontend};
use tokio::sync::Notify;
use tokio::time::sleep;

#[derive(Debug, Default)]
pub(crate) struct Handshake {
    news: Mutex<News>,
    changed: Notify,
    /// How often anything has been forwarded.
    moved: AtomicU64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum News {
    #[default]
    None,
    /// How the next `p` is to be read.
    Asked(Answer),
    /// The request is of unknown kind, and so is the number of messages in its answer.
    Open,
    Authenticated,
    /// The backend sends nothing more.
    Ended,
}

impl Handshake {
    /// Records a message of the backend. Call it before the message is forwarded.
    ///
    /// A request may be of a kind that is unknown here but known to the client. Its answer has to be forwarded, so it
    /// must not wait for another request.
    pub(crate) fn tell(&self, frame: &Frame<'_>, message: &Result<Message<'_>, Error>) {
        if let Some(answer) = frame.answer() {
            self.put(News::Asked(answer));
        } else if let Ok(Message::Authentication(Authentication::Ok)) = message {
            self.put(News::Authenticated);
        }
    }

    /// The backend's side of the connection has ended.
    pub(crate) fn end(&self) {
        self.put(News::Ended);
    }

    /// If the client's message that begins with `first` depends on the backend's answer to the previous one, waits for
    /// that answer and applies it. Returns true if nothing more will be told.
    pub(crate) async fn apply(&self, frontend: &mut Frontend, first: u8) -> bool {
        loop {
            if let Some(last) = self.try_apply(frontend, first) {
                return last;
            }
            self.changed.notified().await;
        }
    }

    fn try_apply(&self, frontend: &mut Frontend, first: u8) -> Option<bool> {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        match *news {
            News::None => (first == Terminate::TAG).then_some(false),
            News::Open => [Terminate::TAG, AuthenticationResponse::TAG].contains(&first).then_some(false),
            News::Asked(answer) => {
                frontend.expect(answer);
                *news = if answer == Answer::Unknown { News::Open } else { News::None };
                Some(false)
            }
            News::Authenticated => {
                frontend.authenticated();
                Some(true)
            }
            News::Ended => Some(true),
        }
    }

    fn put(&self, news: News) {
        let mut held = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        // The client's direction must learn that the client is authenticated, even if the server has gone.
        if *held != News::Authenticated {
            *held = news;
        }
        self.changed.notify_one();
    }

    /// Something has been forwarded, in either direction.
    pub(crate) fn moved(&self) {
        self.moved.fetch_add(1, Relaxed);
    }

    /// Ends when nothing has been forwarded for so long.
    pub(crate) async fn silence(&self, patience: Duration) {
        loop {
            let moved = self.moved.load(Relaxed);
            sleep(patience).await;
            if moved == self.moved.load(Relaxed) {
                return;
            }
        }
    }
}
