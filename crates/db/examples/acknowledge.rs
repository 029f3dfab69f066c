//! Writes numbered rows with several writers at once and prints each number when its
//! write is acknowledged, until it is killed: the victim of the test that kills it.

use std::{io::Write, sync::Arc};

use db::{Db, Options, args};

const WRITERS: i64 = 8;

#[tokio::main]
async fn main() -> kit::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(first)) = (arguments.next(), arguments.next()) else {
        return Err(kit::Error::invalid("usage: acknowledge URL FIRST"));
    };
    let first: i64 = first.parse().map_err(kit::Error::internal)?;
    let db = Arc::new(Db::open(&url, &Options::default()).await?);
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write(db.clone(), first + writer))).collect();
    for writer in writers {
        writer.await.map_err(kit::Error::internal)??;
    }
    Ok(())
}

async fn write(db: Arc<Db>, first: i64) -> kit::Result<()> {
    for id in (first..).step_by(WRITERS as usize) {
        db.write(move |tx| {
            Box::pin(async move {
                tx.execute("INSERT INTO things (id) VALUES ($1)", args![id]).await?;
                tx.execute("INSERT INTO parts (thing, number) VALUES ($1, 1)", args![id]).await?;
                // One in five fails after it wrote, so that groups take deeds back.
                if id % 5 == 0 { Err(kit::Error::conflict("on purpose")) } else { Ok(()) }
            })
        })
        .await
        .or_else(
            |error| {
                if error.is(kit::Kind::Conflict) { Ok(()) } else { Err(error) }
            },
        )?;
        if id % 5 != 0 {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{id}").and_then(|()| out.flush()).map_err(kit::Error::internal)?;
        }
    }
    Ok(())
}
