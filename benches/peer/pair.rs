//! Two connections of this process with a channel between them.

use crate::{Result, setting};
use ice::InterfaceFilter;
use muonrtc::{
    Configuration, DataChannel, DataChannelInit, Endpoint, EndpointConfig, PeerConnection,
    PeerConnectionEvent, SessionDescription, Stack,
};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant};

/// Two ends that are connected.
pub(crate) struct Pair {
    offerer: PeerConnection,
    answerer: PeerConnection,
    /// The channel at the offerer and at the answerer.
    pub(crate) channel: (DataChannel, DataChannel),
    /// From the first call that makes the offer until the offerer's channel was open.
    pub(crate) set_up: Duration,
}

impl Pair {
    pub(crate) async fn connect(ordered: bool) -> Result<Self> {
        let (offerer, answerer) = (connection()?, served()?);
        let mut init = DataChannelInit::default();
        init.ordered = ordered;
        let near = offerer.create_data_channel("data", Some(init))?;
        let ports = setting::impaired_ports();

        let started = Instant::now();
        let offer = described(&offerer, ports.map(|(offerer, _)| offerer)).await?;
        answerer.set_remote_description(offer).await?;
        let answer = described(&answerer, ports.map(|(_, answerer)| answerer)).await?;
        offerer.set_remote_description(answer).await?;
        near.opened().await?;
        let set_up = started.elapsed();

        let far = accepted(&answerer).await?;
        Ok(Self {
            offerer,
            answerer,
            channel: (near, far),
            set_up,
        })
    }

    pub(crate) async fn close(self) {
        self.offerer.close();
        self.answerer.close();
        self.offerer.closed().await;
        self.answerer.closed().await;
    }
}

/// The default layers, whose agents use the address of the comparison alone, as its peers do.
static STACK: LazyLock<Stack> = LazyLock::new(|| {
    let address = setting::address();
    let mut agents = ice::Factory::default();
    agents.include_loopback = address.is_loopback();
    agents.interface_filter = Some(InterfaceFilter::new(move |interface| {
        interface.address == address
    }));
    let mut stack = Stack::default();
    stack.ice = Arc::new(agents);
    stack
});

/// A connection with a socket of its own.
pub(crate) fn connection() -> Result<PeerConnection> {
    let builder = PeerConnection::with_stack(Configuration::default(), STACK.clone());
    Ok(builder.build()?)
}

/// A connection behind the one port of this process, as a server has it; with `OWN_PORTS=1` one with
/// a socket of its own.
pub(crate) fn served() -> Result<PeerConnection> {
    if setting::is_set("OWN_PORTS") {
        return connection();
    }
    static ENDPOINT: OnceLock<Endpoint> = OnceLock::new();
    let endpoint = match ENDPOINT.get() {
        Some(endpoint) => endpoint,
        None => {
            let mut config = EndpointConfig::default();
            config.addresses = vec![setting::address()];
            config.shards = setting::number("SHARDS").unwrap_or(0);
            let bound = Endpoint::bind(config)?;
            ENDPOINT.get_or_init(|| bound)
        }
    };
    let builder = endpoint.peer_connection_with_stack(Configuration::default(), STACK.clone());
    Ok(builder.build()?)
}

/// The local description that the state asks for, with its candidates, which stand on `port` where
/// one is given.
pub(crate) async fn described(
    connection: &PeerConnection,
    port: Option<u16>,
) -> Result<SessionDescription> {
    connection.set_local_description(None).await?;
    connection.gathering_complete().await;
    let description = connection.local_description().ok_or("not described")?;
    let Some(port) = port else {
        return Ok(description);
    };
    let sdp = moved(description.sdp(), port);
    Ok(SessionDescription::new(description.kind(), sdp))
}

/// The description with all its candidates on this port.
fn moved(sdp: &str, port: u16) -> String {
    let line = |line: &str| {
        if !line.starts_with("a=candidate:") {
            return format!("{line}\r\n");
        }
        // RFC 8839 §5.1: the port is the sixth field.
        let mut fields: Vec<String> = line.split(' ').map(str::to_owned).collect();
        if let Some(field) = fields.get_mut(5) {
            *field = port.to_string();
        }
        format!("{}\r\n", fields.join(" "))
    };
    sdp.lines().map(line).collect()
}

/// The channel that the other end opened.
async fn accepted(connection: &PeerConnection) -> Result<DataChannel> {
    while let Some(event) = connection.next_event().await {
        if let PeerConnectionEvent::DataChannel(channel) = event.kind {
            return Ok(channel);
        }
    }
    Err("closed before the channel came".into())
}
