//! The real program as a child process: started on a free port beside stand-ins, killed, and spoken to over
//! HTTP by the same personas that call the service in process.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use omnitrack::demo::standin::StandIns;
use poem::{Endpoint, EndpointExt as _, Request, Response};
use reqwest::Client;

use super::database::Database;
use super::persona::Persona;

pub const BINARY: &str = env!("CARGO_BIN_EXE_omnitrack");

/// How the program is started, beside the settings of the stand-ins.
#[derive(Clone, Default)]
pub struct Launch {
    pub settings: Vec<(&'static str, String)>,
    /// Starts it with SIGXFSZ ignored, so that a write beyond the limit on the size of files (`RLIMIT_FSIZE`)
    /// fails with EFBIG instead of ending the process.
    pub ignores_sigxfsz: bool,
}

/// A started program, ended when dropped.
pub struct Service {
    child: Child,
    pub address: SocketAddr,
}

fn command(stand_ins: &StandIns, database_url: &str, launch: &Launch) -> Command {
    let mut command = if launch.ignores_sigxfsz {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", BINARY]);
        shell
    } else {
        Command::new(BINARY)
    };
    command.env_clear().envs(stand_ins.settings()).env("DATABASE_URL", database_url);
    if !database_url.starts_with("sqlite:") {
        command.env("OMNITRACK_SECRET_KEY", "a secret that only the tests know");
    }
    command.env("OMNITRACK_LISTEN", "127.0.0.1:0").env("OMNITRACK_RATE_ACCOUNT", "1000000");
    // A caller who cannot be looked up counts against the address.
    command.env("OMNITRACK_RATE_ADDRESS", "1000000");
    command.envs(launch.settings.iter().map(|(name, value)| (*name, value)));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Service {
    /// Starts the program and waits for the line that tells its address.
    pub fn start(stand_ins: &StandIns, database_url: &str) -> Self {
        Self::launch(stand_ins, database_url, &Launch::default())
    }

    /// Starts the program with further settings.
    pub fn start_with(stand_ins: &StandIns, database_url: &str, settings: &[(&'static str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self::launch(stand_ins, database_url, &Launch { settings, ..Launch::default() })
    }

    fn launch(stand_ins: &StandIns, database_url: &str, launch: &Launch) -> Self {
        let mut child = command(stand_ins, database_url, launch).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("address=").map(|(_, address)| address.trim().to_owned()));
        let Some(address) = address else {
            let mut errors = String::new();
            child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut errors));
            panic!("no address: {errors}");
        };
        // Keep reading: a full pipe would stop the program.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.parse().expect("an address") }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The memory of the process that is in RAM.
    pub fn resident_bytes(&self) -> usize {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).expect("Linux");
        let pages: usize = statm.split(' ').nth(1).expect("a field").parse().expect("a number");
        pages * 4096
    }

    /// SIGKILL, and waits until nothing of it runs any more.
    pub fn kill(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("the end");
    }

    pub fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(status.expect("kill").success());
    }

    /// Waits until the program has ended by itself.
    pub fn ended(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn client() -> Client {
    Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().expect("a client")
}

/// The program on a database of its own, which outlives each start.
pub struct Program {
    service: Service,
    wire: Wire,
    launch: Launch,
    pub stand_ins: StandIns,
    pub database: Database,
}

impl Program {
    pub fn start(database: Database) -> Self {
        Self::launch(database, Launch::default())
    }

    pub fn launch(database: Database, launch: Launch) -> Self {
        let stand_ins = StandIns::start().expect("stand-ins");
        let service = Service::launch(&stand_ins, database.url.expose(), &launch);
        let wire = Wire { client: client(), address: Arc::new(Mutex::new(service.address)) };
        Self { service, wire, launch, stand_ins, database }
    }

    /// Another command of the program with the same settings, beside it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.stand_ins, self.database.url.expose(), &self.launch);
        command.args(arguments);
        command
    }

    pub fn address(&self) -> SocketAddr {
        self.service.address
    }

    pub fn process_id(&self) -> u32 {
        self.service.child.id()
    }

    pub fn kill(&mut self) {
        self.service.kill();
    }

    /// Starts it after a kill. Personas find it at its new address.
    pub fn start_again(&mut self) {
        self.service = Service::launch(&self.stand_ins, self.database.url.expose(), &self.launch);
        *self.wire.address.lock().unwrap() = self.service.address;
    }

    /// Somebody who calls it over HTTP.
    pub fn persona(&self, name: &str) -> Persona {
        let token = self.stand_ins.token(name, Duration::from_secs(3600));
        Persona::new(Arc::new(self.wire.clone().boxed()), Some(token))
    }
}

/// Carries a request over a socket to wherever the program listens now.
#[derive(Clone)]
struct Wire {
    client: Client,
    address: Arc<Mutex<SocketAddr>>,
}

impl Endpoint for Wire {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let (head, body) = request.into_parts();
        let url = format!("http://{}{}", *self.address.lock().unwrap(), head.uri);
        let call = self.client.request(head.method, url).headers(head.headers).body(body.into_vec().await?);
        let answer = call.send().await.map_err(poem::error::BadGateway)?;
        let mut response = Response::builder().status(answer.status()).finish();
        *response.headers_mut() = answer.headers().clone();
        response.set_body(answer.bytes().await.map_err(poem::error::BadGateway)?);
        Ok(response)
    }
}
