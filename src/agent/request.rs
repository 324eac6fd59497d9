//! What a client asks for: HTTP/1.1 (RFC 9112), as a pure function of bytes.

/// Most bytes of a request's head.
pub const MAX_HEAD: usize = 8 * 1024;
/// Most header fields; Prometheus sends six.
const MAX_FIELDS: usize = 48;

/// A request that is understood.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD` or another word.
    pub method: String,
    /// The path without what follows a question mark.
    pub path: String,
    /// The values of `Accept`.
    pub accept: String,
    /// Whether another request may follow.
    pub keep_alive: bool,
    /// Bytes it took.
    pub length: usize,
}

/// Why a request is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not HTTP, or carries a body.
    Malformed,
    /// Its head is longer than [`MAX_HEAD`] or has too many fields.
    TooLong,
}

/// The request at the start of `bytes`; `None` if it is not whole yet.
pub fn parse(bytes: &[u8]) -> Result<Option<Request>, Refused> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut head = httparse::Request::new(&mut fields);
    let length = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= MAX_HEAD => length,
        Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(Refused::TooLong),
        Err(_) => return Err(Refused::Malformed),
    };
    let (Some(method), Some(target)) = (head.method, head.path) else {
        return Err(Refused::Malformed);
    };
    let mut accept = String::new();
    let mut keep_alive = head.version == Some(1);
    for field in head.headers.iter() {
        let value = std::str::from_utf8(field.value).unwrap_or_default().trim();
        match field.name.to_ascii_lowercase().as_str() {
            "accept" => {
                let comma = if accept.is_empty() { "" } else { "," };
                accept = format!("{accept}{comma}{value}");
            }
            "connection" => {
                let says = |word| value.split(',').any(|v| v.trim().eq_ignore_ascii_case(word));
                keep_alive = (keep_alive || says("keep-alive")) && !says("close");
            }
            // What follows would be taken for the next request.
            "content-length" if value != "0" => return Err(Refused::Malformed),
            "transfer-encoding" => return Err(Refused::Malformed),
            _ => {}
        }
    }
    let path = target.split('?').next().unwrap_or_default();
    Ok(Some(Request { method: method.into(), path: path.into(), accept, keep_alive, length }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Request {
        parse(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn a_request_is_taken_whole_or_not_at_all() {
        let text = "GET /metrics?name[]=x HTTP/1.1\r\nHost: node\r\nAccept: text/plain\r\nACCEPT: */*;q=0.1\r\n\r\n";
        let request = parsed(&format!("{text}GET"));
        assert_eq!((&request.method[..], &request.path[..]), ("GET", "/metrics"));
        assert_eq!(request.accept, "text/plain,*/*;q=0.1");
        assert_eq!((request.keep_alive, request.length), (true, text.len()));
        for length in 0..text.len() {
            assert_eq!(parse(&text.as_bytes()[..length]), Ok(None), "{}", &text[..length]);
        }
    }

    #[test]
    fn a_connection_is_kept_as_its_version_and_its_field_say() {
        let kept =
            |version, field| parsed(&format!("GET / HTTP/1.{version}\r\n{field}\r\n")).keep_alive;
        assert!(kept(1, "") && kept(1, "Connection: keep-alive\r\n"));
        assert!(kept(0, "Connection: Keep-Alive\r\n"));
        assert!(!kept(0, "") && !kept(1, "Connection: TE, Close\r\n"));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let wrong = [
            "\u{16}\u{3}\u{1}\u{2}\u{0}",
            "GET\r\n\r\n",
            "GET / HTTP/2.0\r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        ];
        for text in wrong {
            assert_eq!(parse(text.as_bytes()), Err(Refused::Malformed), "{text:?}");
        }
        for body in ["Content-Length: 5", "Transfer-Encoding: chunked", "Content-Length: x"] {
            let text = format!("GET / HTTP/1.1\r\n{body}\r\n\r\n");
            assert_eq!(parse(text.as_bytes()), Err(Refused::Malformed), "{body}");
        }
        let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(MAX_HEAD));
        assert_eq!(parse(long.as_bytes()), Err(Refused::TooLong));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(MAX_FIELDS + 1));
        assert_eq!(parse(many.as_bytes()), Err(Refused::TooLong));
    }
}
