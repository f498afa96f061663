//! What one direction has to tell the other.
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
    /// What was asked nobody here knows, nor how many messages the answer has.
    Open,
    Authenticated,
    /// The backend will say no more.
    Ended,
}

impl Handshake {
    /// The backend has said this; to be told before the client can see it.
    ///
    /// What is asked may be of a kind that nobody here knows. It is asked all the same, and the client may know it: to
    /// wait for another question would be to keep its answer back.
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

    /// Waits until the backend has answered what the client said last, if that decides how its message that begins with
    /// `first` is to be read, and passes on what it means. True when it is the last news.
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
        // That the client is authenticated it must learn, though the server may be gone by then.
        if *held != News::Authenticated {
            *held = news;
        }
        self.changed.notify_all();
    }
}
