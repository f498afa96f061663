//! What one direction has to tell the other.
//!
//! A frontend's `p` messages cannot be read without knowing what the backend asked for, and nothing else may
//! come before the backend has said AuthenticationOk. Two threads read the two directions, so that the news
//! crosses here.

use std::sync::{Condvar, Mutex, PoisonError};

use feedrate::pg::Frontend;
use feedrate::pg::backend::Authentication;
use feedrate::pg::frontend::Answer;

#[derive(Debug, Default)]
pub(crate) struct Handshake {
    news: Mutex<News>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum News {
    #[default]
    None,
    /// How the next `p` is to be read, where that can be said.
    Asked(Option<Answer>),
    Authenticated,
    /// The backend will say no more.
    Ended,
}

impl Handshake {
    /// The backend has said this; to be told before the client can see it.
    pub(crate) fn tell(&self, request: &Authentication<'_>) {
        self.put(match request {
            Authentication::Ok => News::Authenticated,
            request => News::Asked(request.answer()),
        });
    }

    /// The backend's side of the connection has ended.
    pub(crate) fn end(&self) {
        self.put(News::Ended);
    }

    /// Waits until the backend has answered what the client said last, and passes on what that means. True
    /// when it is the last news.
    pub(crate) fn apply(&self, frontend: &mut Frontend) -> bool {
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |news: &mut News| *news == News::None;
        let mut news = self.changed.wait_while(news, waits).unwrap_or_else(PoisonError::into_inner);
        match *news {
            News::Asked(answer) => {
                if let Some(answer) = answer {
                    frontend.expect(answer);
                }
                *news = News::None;
                false
            }
            News::Authenticated => {
                frontend.authenticated();
                true
            }
            News::Ended | News::None => true,
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
