//! The page at `/`, so that a browser shows something to click on.

use crate::samples::{SAMPLES, encode};

/// Writes the page.
pub(crate) fn page() -> String {
    let item = |sample: &crate::samples::Sample| {
        let (path, query) = sample.target.split_once('?').unwrap_or((sample.target, ""));
        let mark = if query.is_empty() { "" } else { "?" };
        let href = escape(&format!("{path}{mark}{}", encode(query)));
        let shown = escape(sample.target);
        match sample.body {
            None if sample.method == "GET" => {
                format!("<li>{}<br><a href=\"{href}\"><code>{shown}</code></a></li>", sample.title)
            }
            body => {
                let body = escape(body.unwrap_or_default());
                format!("<li>{}<br><code>{} {shown} {body}</code></li>", sample.title, sample.method)
            }
        }
    };
    let items: String = SAMPLES.iter().map(item).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Cities: remex quickstart</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}}\
         li{{margin:.6rem 0}}code{{overflow-wrap:anywhere}}</style></head>\n<body>\n\
         <h1>Cities of the world</h1>\n\
         <p>A REST API made by mounting one service with <b>remex</b>. Links are queries; the other requests are for curl, \
         and the terminal in which this runs has them ready to paste.</p>\n<ol>{items}</ol>\n\
         <p>City data © <a href=\"https://www.geonames.org/\">GeoNames</a>, \
         <a href=\"https://creativecommons.org/licenses/by/4.0/\">CC BY 4.0</a>, modified.</p>\n</body></html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
