//! Messages as bytes, also those that no encoder would write.

pub(crate) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[tag][..], &length.to_be_bytes(), body].concat()
}

fn text(text: &str) -> Vec<u8> {
    [text.as_bytes(), b"\0"].concat()
}

pub(crate) fn startup(parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut body = 196_608_u32.to_be_bytes().to_vec();
    for (name, value) in parameters {
        body.extend(text(name));
        body.extend(text(value));
    }
    body.push(0);
    [&u32::try_from(body.len() + 4).unwrap().to_be_bytes()[..], &body].concat()
}

pub(crate) fn query(sql: &str) -> Vec<u8> {
    message(b'Q', &text(sql))
}

pub(crate) fn parse(name: &str, sql: &str) -> Vec<u8> {
    message(b'P', &[text(name), text(sql), vec![0, 0]].concat())
}

pub(crate) fn bind(portal: &str, name: &str, arguments: u8) -> Vec<u8> {
    let mut body = [text(portal), text(name), vec![0, 0, 0, arguments]].concat();
    for _ in 0..arguments {
        body.extend([0, 0, 0, 1, b'7']);
    }
    body.extend([0, 0]);
    message(b'B', &body)
}

pub(crate) fn describe(tag: u8, what: u8, name: &str) -> Vec<u8> {
    message(tag, &[vec![what], text(name)].concat())
}

pub(crate) fn execute(portal: &str, limit: i32) -> Vec<u8> {
    message(b'E', &[text(portal), limit.to_be_bytes().to_vec()].concat())
}

pub(crate) fn call(function: u32, arguments: u8) -> Vec<u8> {
    let mut body = [&function.to_be_bytes()[..], &[0, 0, 0, arguments]].concat();
    for _ in 0..arguments {
        body.extend([0, 0, 0, 1, b'7']);
    }
    body.extend([0, 0]);
    message(b'F', &body)
}

pub(crate) fn fail() -> Vec<u8> {
    message(b'f', b"no\0")
}
