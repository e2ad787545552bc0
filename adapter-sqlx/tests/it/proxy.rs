//! A network between an adapter and its database, which can fail.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the network does with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It carries everything.
    Well,
    /// It ends every connection, and lets none begin.
    Cut,
    /// It keeps connections and carries nothing: what is sent never arrives.
    Silent,
}

/// Listens on a port of its own and carries to the database what it is sent.
pub(crate) struct Proxy {
    url: String,
    mood: Arc<watch::Sender<Mood>>,
}

impl Proxy {
    /// Puts a network before the server of a URL.
    pub(crate) async fn before(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, path) = rest.split_once('/').expect("a URL with a database");
        // A socket would lead past the network.
        let path = path.split('?').next().unwrap_or_default();
        let (user, address) = authority.rsplit_once('@').expect("a URL with a user");
        let default = if scheme == "mysql" { 3306 } else { 5432 };
        let address = if address.contains(':') { address.to_owned() } else { format!("{address}:{default}") };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let mood = Arc::new(watch::Sender::new(Mood::Well));
        let moods = mood.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *moods.borrow() != Mood::Cut {
                    tokio::spawn(carry(client, address.clone(), moods.subscribe()));
                }
            }
        });
        Self { url: format!("{scheme}://{user}@127.0.0.1:{port}/{path}"), mood }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }
}

async fn carry(mut client: TcpStream, address: String, mut mood: watch::Receiver<Mood>) {
    let Ok(mut server) = TcpStream::connect(address).await else { return };
    let (mut up, mut down) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        let now = *mood.borrow_and_update();
        match now {
            Mood::Cut => return,
            Mood::Silent => {
                if mood.changed().await.is_err() {
                    return;
                }
            }
            Mood::Well => {
                let carried = tokio::select! {
                    changed = mood.changed() => changed.is_ok(),
                    read = client.read(&mut up) => hand_on(read, &up, &mut server).await,
                    read = server.read(&mut down) => hand_on(read, &down, &mut client).await,
                };
                if !carried {
                    return;
                }
            }
        }
    }
}

async fn hand_on(read: std::io::Result<usize>, buffer: &[u8], to: &mut TcpStream) -> bool {
    match read {
        Ok(0) | Err(_) => false,
        Ok(count) => to.write_all(&buffer[..count]).await.is_ok(),
    }
}
