//! What crosses the network, counted by a proxy that delays it.

use std::time::Duration;

use diesel::{
    connection::SimpleConnection,
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Integer, Nullable, Text},
};
use pgferry_diesel::{FerryConnection, Transport};
use pgferry_test_support::Proxy;

use super::{
    Place,
    user_types::{MOOD, Mood, MoodType},
};

super::on_each_transport!(
    each_statement_takes_one_flight,
    a_transaction_of_three_statements_takes_five,
    a_batch_takes_one,
    a_type_is_looked_up_once,
);

/// A connection behind a proxy.
struct Counted {
    connection: FerryConnection,
    proxy: Proxy,
}

impl Counted {
    fn new(place: &Place) -> Self {
        let gateway = place.stage.gateway().address();
        let proxy = Proxy::start(gateway, Duration::from_millis(20)).unwrap();
        let url = super::detour(&place.url(), gateway, proxy.address());
        Self { connection: FerryConnection::establish(&url).unwrap(), proxy }
    }

    /// Opens the session that `Auto` has none of at first.
    fn in_a_session(mut self) -> Self {
        self.connection.transaction(|_| QueryResult::Ok(())).unwrap();
        self
    }

    /// How many flights it takes.
    #[track_caller]
    fn flights(&mut self, run: impl FnOnce(&mut FerryConnection) -> QueryResult<()>) -> usize {
        let before = self.proxy.flights();
        run(&mut self.connection).unwrap();
        self.proxy.flights() - before
    }
}

fn number(connection: &mut FerryConnection) -> QueryResult<()> {
    diesel::select(1.into_sql::<Integer>()).execute(connection).map(drop)
}

fn each_statement_takes_one_flight(place: &Place) {
    let mut counted = Counted::new(place);
    assert_eq!(counted.flights(number), 1, "new to the connection");
    assert_eq!(counted.flights(number), 1, "known to it");
    assert_eq!(counted.flights(|c| diesel::select("x".into_sql::<Text>()).execute(c).map(drop)), 1, "another");
    assert_eq!(counted.flights(|c| sql_query("select 1").execute(c).map(drop)), 1, "never kept");
    let wrong = |c: &mut FerryConnection| {
        sql_query("selec 1").execute(c).unwrap_err();
        Ok(())
    };
    assert_eq!(counted.flights(wrong), 1, "wrong");
    assert_eq!(counted.flights(|c| c.batch_execute("select 1; select 2")), 1, "a script");
}

fn a_transaction_of_three_statements_takes_five(place: &Place) {
    if place.transport() == Transport::Http {
        return;
    }
    let mut counted = Counted::new(place).in_a_session();
    let transaction = |c: &mut FerryConnection| {
        c.transaction(|c| {
            number(c)?;
            diesel::select(2_i64.into_sql::<BigInt>()).execute(c)?;
            number(c)
        })
    };
    assert_eq!(counted.flights(transaction), 5);
}

fn a_batch_takes_one(place: &Place) {
    let mut counted = Counted::new(place);
    let batch = |c: &mut FerryConnection| {
        let mut batch = c.batch();
        let one = batch.add_get_result::<_, i32>(diesel::select(1.into_sql::<Integer>()));
        let text = batch.add_get_result::<_, String>(diesel::select("x".into_sql::<Text>()));
        let mut results = batch.send()?;
        assert_eq!((results.take(one)?, results.take(text)?.as_str()), (1, "x"));
        Ok(())
    };
    assert_eq!(counted.flights(batch), 1);
}

fn a_type_is_looked_up_once(place: &Place) {
    place.connect().batch_execute(MOOD).unwrap();
    let mut counted = Counted::new(place);
    let mood = |c: &mut FerryConnection| {
        let mood: Mood = diesel::select(Mood::Glad.into_sql::<MoodType>()).get_result(c)?;
        assert_eq!(mood, Mood::Glad);
        Ok(())
    };
    counted.flights(mood);
    assert_eq!(counted.flights(mood), 1, "known");
    let moods = |c: &mut FerryConnection| {
        let moods = vec![Some(Mood::Sad), None].into_sql::<Array<Nullable<MoodType>>>();
        diesel::select((moods, Mood::Glad.into_sql::<MoodType>())).execute(c).map(drop)
    };
    assert_eq!(counted.flights(moods), 1, "in another statement");
}
