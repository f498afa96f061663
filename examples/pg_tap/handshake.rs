//! What the two directions tell each other.
//!
//! A frontend's `p` messages cannot be read without knowing what the backend asked for, and nothing else may
//! come before the backend has sent AuthenticationOk. Two threads read the two directions, and exchange here what
//! the other one needs.

use std::sync::{Condvar, Mutex, PoisonError};

use feedrate::pg::{Error, Frontend};

use feedrate::pg::backend::{Authentication, Frame, Message};
use feedrate::pg::frontend::{Answer, AuthenticationResponse, Terminate};

#[derive(Debug, Default)]
pub(crate) struct Handshake {
    news: Mutex<News>,
    changed: Condvar,
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
    pub(crate) fn apply(&self, frontend: &mut Frontend, first: u8) -> bool {
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |news: &mut News| match *news {
            News::None => first != Terminate::TAG,
            News::Open => ![Terminate::TAG, AuthenticationResponse::TAG].contains(&first),
            News::Asked(_) | News::Authenticated | News::Ended => false,
        };
        let mut news = self.changed.wait_while(news, waits).unwrap_or_else(PoisonError::into_inner);
        match *news {
            News::Asked(answer) => {
                frontend.expect(answer);
                *news = if answer == Answer::Unknown { News::Open } else { News::None };
                false
            }
            News::Authenticated => {
                frontend.authenticated();
                true
            }
            News::None | News::Open => false,
            News::Ended => true,
        }
    }

    fn put(&self, news: News) {
        let mut held = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        // The client's direction must learn that the client is authenticated, even if the server has gone.
        if *held != News::Authenticated {
            *held = news;
        }
        self.changed.notify_all();
    }
}
