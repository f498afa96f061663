//! Lines of standard input, for programs that wait for other things as well.

use std::io::{self, BufRead};
use std::thread;

use tokio::sync::mpsc::{Receiver, channel};

/// Passes on the lines of standard input. A thread of its own reads them: it may wait for ever, which a task of the
/// runtime must not, as the program would not end.
pub fn read_input() -> Receiver<String> {
    let (to_program, lines) = channel(1);
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if to_program.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}
