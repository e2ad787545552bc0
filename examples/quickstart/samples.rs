//! What to try: printed as curl lines, linked from the page, and run by the test.

/// A request to try.
pub(crate) struct Sample {
    /// What it asks.
    pub(crate) title: &'static str,
    pub(crate) method: &'static str,
    /// Path and query, as a person would write them.
    pub(crate) target: &'static str,
    pub(crate) body: Option<&'static str>,
    /// The status that it answers, in the order in which the samples stand.
    #[cfg_attr(not(test), allow(dead_code, reason = "for the test"))]
    pub(crate) status: u16,
    /// What its answer holds.
    #[cfg_attr(not(test), allow(dead_code, reason = "for the test"))]
    pub(crate) shows: &'static str,
}

const fn get(title: &'static str, target: &'static str, shows: &'static str) -> Sample {
    Sample { title, method: "GET", target, body: None, status: 200, shows }
}

pub(crate) const SAMPLES: &[Sample] = &[
    get("the first page", "/cities", "\"total\":4800"),
    get("one city", "/cities/1", "Shanghai"),
    get("the largest cities of Japan", "/cities?country_code=JP&$sort[population]=-1&$limit=3&$select[]=name", "Tokyo"),
    get(
        "capitals above 2,000 metres, the highest first",
        "/cities?capital=true&elevation[$gt]=2000&$sort[elevation]=-1",
        "Quito",
    ),
    get(
        "Brazilian cities with an ã in their name",
        "/cities?country_code=BR&name[$contains]=ã&$sort[population]=-1",
        "São Paulo",
    ),
    get("cities of unknown population", "/cities?population=null", "Plymouth"),
    get(
        "changed since 2023, or below the sea",
        "/cities?$or[0][modified_on][$gte]=2023-01-01&$or[1][elevation][$lt]=0",
        "\"total\"",
    ),
    get(
        "the same language as JSON",
        "/cities?query={\"country_code\":{\"$in\":[\"IS\",\"FO\"]}}&sort={\"name\":1}&fields=name",
        "Reykjavík",
    ),
    get("how many cities India has in the list", "/cities/_count?country_code=IN", "count"),
    Sample {
        title: "make a city, under an id of your own (without one, the store makes it)",
        method: "POST",
        target: "/cities",
        body: Some(r#"{"id":5000,"name":"Nephelokokkygia","country_code":"GR","population":2}"#),
        status: 201,
        shows: "\"id\":5000",
    },
    Sample {
        title: "change one of its fields",
        method: "PATCH",
        target: "/cities/5000",
        body: Some(r#"{"population":3}"#),
        status: 200,
        shows: "\"population\":3",
    },
    Sample {
        title: "replace it",
        method: "PUT",
        target: "/cities/5000",
        body: Some(r#"{"name":"Cloud Cuckoo Land","country_code":"GR"}"#),
        status: 200,
        shows: "Cloud Cuckoo Land",
    },
    Sample {
        title: "remove it",
        method: "DELETE",
        target: "/cities/5000",
        body: None,
        status: 200,
        shows: "Cloud Cuckoo Land",
    },
    Sample {
        title: "what a mistake answers",
        method: "POST",
        target: "/cities",
        body: Some(r#"{"country_code":5,"mayor":"?"}"#),
        status: 422,
        shows: "mayor",
    },
];

impl Sample {
    /// Writes the request as a line for a shell.
    pub(crate) fn curl(&self, url: &str) -> String {
        let method = if self.method == "GET" { String::new() } else { format!(" -X {}", self.method) };
        let (path, query) = self.target.split_once('?').unwrap_or((self.target, ""));
        let mark = if query.is_empty() { "" } else { "?" };
        let query = encode(query);
        let body =
            self.body.map(|body| format!(" -H 'content-type: application/json' -d '{body}'")).unwrap_or_default();
        // Brackets and braces are a language of their own to curl, which `-g` turns off.
        format!("curl -g{method} '{url}{path}{mark}{query}'{body}")
    }
}

/// Percent-encodes what cannot stand in a request as it is, and leaves the rest to be read by people.
pub(crate) fn encode(query: &str) -> String {
    let encoded = |byte: u8| match byte {
        b' ' | b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | 0x7f.. => format!("%{byte:02X}"),
        _ => char::from(byte).to_string(),
    };
    query.bytes().map(encoded).collect()
}
