//! A Postgres database, in one transaction that the server keeps from writing.

use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use postgres::config::{Host, SslMode};
use postgres::fallible_iterator::FallibleIterator;
use postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use postgres::types::{ToSql, Type};
use postgres::{Client, Config, NoTls, Row};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream as RustlsStream;

use super::StoreError;
use super::database::{Database, EachRow, Field, Parameter};
use super::reader::StoreAccess;
use crate::grpc::{Tls, TlsFailure, TlsOptions};

/// A database, with a connection in its transaction.
pub(super) struct PostgresDatabase {
    client: Option<Client>,
    url: String,
    place: String,
    access: StoreAccess,
}

impl PostgresDatabase {
    /// Connects, and begins the transaction in which everything is read.
    pub(super) fn open(url: &str, place: &str, access: &StoreAccess) -> Result<Self, StoreError> {
        let url = match &access.tunnel {
            Some(tunnel) => url.replace("{port}", &tunnel.port),
            None => url.to_owned(),
        };
        Ok(Self {
            client: Some(connect(&url, place, access)?),
            url,
            place: place.to_owned(),
            access: access.clone(),
        })
    }

    /// The connection, made anew if it broke. Its transaction then begins anew, too, and may see later events.
    fn client(&mut self) -> Result<&mut Client, StoreError> {
        if self.client.is_none() {
            let connected = connect(&self.url, &self.place, &self.access);
            // Who was reached before and cannot be reached now may be reached again soon.
            let connected = connected.map_err(StoreError::into_broken)?;
            self.client = Some(connected);
        }
        Ok(self.client.as_mut().expect("it was just made"))
    }
}

fn connect(url: &str, place: &str, access: &StoreAccess) -> Result<Client, StoreError> {
    let unreachable = |reason: String, advice| StoreError::Unreachable {
        place: place.to_owned(),
        reason,
        advice,
    };
    let mut config: Config = url
        .parse()
        .map_err(|error: postgres::Error| unreachable(with_cause(&error), WRITTEN))?;
    if let Some(password) = &access.password {
        config.password(password.reveal());
    }
    config.connect_timeout(access.deadline);
    config.application_name("angzarr-replay");
    // Whatever the role may do, the server refuses to write in this session.
    let given = config.get_options().unwrap_or_default().to_owned();
    let limit = access.deadline.as_millis().max(1);
    config.options(
        format!("{given} -c default_transaction_read_only=on -c statement_timeout={limit}")
            .as_str(),
    );
    let connected = match tls_of(&mut config, access) {
        Ok(None) => config.connect(NoTls).map_err(|error| (error, None)),
        Ok(Some(tls)) => config
            .connect(MakeTls(tls.clone()))
            .map_err(|error| (error, Some(tls))),
        Err(error) => return Err(unreachable(error.to_string(), "")),
    };
    let mut client = connected.map_err(|(error, tls)| {
        let of_tls = tls.and_then(|tls| TlsFailure::of(&error, &tls));
        let of_tls = of_tls.map(|failure| unreachable(failure.to_string(), ""));
        of_tls.unwrap_or_else(|| {
            let reason = without_secret(&error, access);
            // A way may be open before what is behind it answers, and break at any time.
            if access.tunnel.is_some() && is_broken(&error) {
                let place = place.to_owned();
                return StoreError::Broken { place, reason };
            }
            unreachable(reason, advice(&error))
        })
    })?;
    client
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .map_err(|error| failure(&error, place))?;
    Ok(client)
}

impl Database for PostgresDatabase {
    fn select(
        &mut self,
        statement: &str,
        parameters: &[Parameter<'_>],
        each: EachRow<'_>,
    ) -> Result<(), StoreError> {
        let place = self.place.clone();
        let failed = |error| failure(&error, &place);
        let parameters = parameters.iter().map(|parameter| match parameter {
            Parameter::Text(text) => text as &(dyn ToSql + Sync),
            Parameter::Integer(number) => number,
        });
        let parameters: Vec<&(dyn ToSql + Sync)> = parameters.collect();
        let mut rows = self
            .client()?
            .query_raw(statement, parameters.iter().copied())
            .map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let fields: Result<Vec<Field>, _> =
                (0..row.len()).map(|column| field(&row, column)).collect();
            each(fields.map_err(failed)?)?;
        }
        Ok(())
    }

    fn contains(&self, column: &str, text: &str) -> String {
        format!("position({} IN {column}) > 0", bytes(text))
    }

    fn disconnect(&mut self) {
        self.client = None;
    }

    fn columns(&mut self, table: &str) -> Result<Vec<(String, bool)>, StoreError> {
        let mut columns = Vec::new();
        // The table that the statements below find, in whichever schema of the search path it is.
        let statement = "SELECT substr(CAST(attname AS TEXT), 1, 64), CAST(NOT attnotnull AS INT)
                         FROM pg_catalog.pg_attribute
                         WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped";
        self.select(statement, &[Parameter::Text(table)], &mut |row| {
            if let [Field::Text(name), Field::Integer(may_be_null)] = row.as_slice() {
                columns.push((name.clone(), *may_be_null == 1));
            }
            Ok(())
        })?;
        Ok(columns)
    }
}

fn field(row: &Row, column: usize) -> Result<Field, postgres::Error> {
    let kind = row.columns()[column].type_();
    let field = if *kind == Type::BYTEA {
        row.try_get::<_, Option<&[u8]>>(column)?
            .map(|bytes| Field::Bytes(bytes.to_vec()))
    } else if *kind == Type::INT8 {
        row.try_get::<_, Option<i64>>(column)?.map(Field::Integer)
    } else if *kind == Type::INT4 {
        let number: Option<i32> = row.try_get(column)?;
        number.map(|number| Field::Integer(number.into()))
    } else {
        row.try_get::<_, Option<String>>(column)?.map(Field::Text)
    };
    Ok(field.unwrap_or(Field::Null))
}

/// The bytes of a text as SQL reads them.
fn bytes(text: &str) -> String {
    let mut literal = "CAST('\\x".to_owned();
    for byte in text.bytes() {
        let _ = write!(literal, "{byte:02x}");
    }
    literal + "' AS BYTEA)"
}

/// Whether and how the connection is encrypted. To another machine it is, with a certificate that is checked, unless the
/// URL says `sslmode=disable`; on this machine, if the URL or the configuration asks for it.
fn tls_of(config: &mut Config, access: &StoreAccess) -> Result<Option<Tls>, crate::grpc::TlsError> {
    let is_here = |host: &Host| match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        Host::Unix(_) => true,
    };
    let is_asked_for = access.tls.is_some() || config.get_ssl_mode() == SslMode::Require;
    let is_remote = !config.get_hosts().iter().all(is_here)
        || !config
            .get_hostaddrs()
            .iter()
            .all(std::net::IpAddr::is_loopback);
    if config.get_ssl_mode() == SslMode::Disable || !(is_asked_for || is_remote) {
        config.ssl_mode(SslMode::Disable);
        return Ok(None);
    }
    config.ssl_mode(SslMode::Require);
    match &access.tls {
        Some(tls) => Ok(Some(tls.clone())),
        None => Tls::new(&TlsOptions::default()).map(Some),
    }
}

const WRITTEN: &str = "; postgres://USER@HOST:PORT/DATABASE is expected in `store`";

fn advice(error: &postgres::Error) -> &'static str {
    let Some(code) = error.code() else {
        let words = with_cause(error);
        return if words.contains("password missing") {
            "; say with `store_password` where it comes from"
        } else if words.contains("server does not support TLS") {
            "; add `?sslmode=disable` to `store` where something else encrypts the connection"
        } else {
            "; is it running, and is this its address?"
        };
    };
    // The classes of https://www.postgresql.org/docs/current/errcodes-appendix.html.
    match &code.code()[..2] {
        "28" => "; are the user in `store` and the password of `store_password` right?",
        "3D" => "; is the name of the database in `store` right?",
        "53" => "; repeat the command later",
        _ => "",
    }
}

fn failure(error: &postgres::Error, place: &str) -> StoreError {
    if is_broken(error) {
        return StoreError::Broken {
            place: place.to_owned(),
            reason: with_cause(error),
        };
    }
    let advice = match error.code().map(postgres::error::SqlState::code) {
        Some("42501") => "; grant the role SELECT on `events` and `snapshots`",
        Some("57014") => {
            "; it took longer than `deadline`, or the database cancelled it: raise `deadline`, or read from a replica"
        }
        Some("40001") => "; the replica could not keep the rows any longer: repeat the command",
        _ => "",
    };
    StoreError::Query {
        place: place.to_owned(),
        reason: with_cause(error),
        advice,
    }
}

/// Whether the connection is gone: by itself, or because the server ends it.
fn is_broken(error: &postgres::Error) -> bool {
    if let Some(code) = error.code() {
        // admin_shutdown, crash_shutdown and cannot_connect_now.
        return matches!(code.code(), "57P01" | "57P02" | "57P03");
    }
    let source = std::error::Error::source(error);
    error.is_closed() || source.is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

/// The message, without the password, should a server repeat it.
fn without_secret(error: &postgres::Error, access: &StoreAccess) -> String {
    let words = with_cause(error);
    match &access.password {
        Some(password) => words.replace(password.reveal(), "[secret]"),
        None => words,
    }
}

/// The message of the server, cut if it is long, or the library's with its cause.
fn with_cause(error: &postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return error.message().chars().take(500).collect();
    }
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Encrypts connections with the settings of the source.
#[derive(Clone)]
struct MakeTls(Tls);

/// Encrypts one connection.
struct Connect {
    tls: Tls,
    host: String,
}

/// An encrypted connection.
struct Encrypted<S>(RustlsStream<S>);

type Boxed<T> = Pin<Box<dyn Future<Output = std::io::Result<T>> + Send>>;

impl<S> MakeTlsConnect<S> for MakeTls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = Connect;
    type Error = std::io::Error;

    fn make_tls_connect(&mut self, host: &str) -> std::io::Result<Connect> {
        Ok(Connect {
            tls: self.0.clone(),
            host: host.to_owned(),
        })
    }
}

impl<S> TlsConnect<S> for Connect
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type Error = std::io::Error;
    type Future = Boxed<Encrypted<S>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let name = self
                .tls
                .name_of(&self.host)
                .map_err(std::io::Error::other)?;
            let connector = TlsConnector::from(Arc::new(self.tls.client_config()));
            connector.connect(name, stream).await.map(Encrypted)
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        // It would need a parser of certificates; without it, the password is proved without being bound to the channel.
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
