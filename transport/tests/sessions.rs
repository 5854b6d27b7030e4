//! Whole sessions over loopback QUIC, with clients that vanish.

mod support;

use std::ops::ControlFlow;
use std::time::Duration;

use secagg::{Abort, Graph, Input, Policy, Round, VectorSpec};
use secagg_transport::{Error, Limits, Outcome, SecaggClient, SecaggServer, SessionPlan, Status, Step};
use support::{
    HANG, Observer, active_plan, assert_exact, client, loopback, name, pinned_plan, plan, server,
    until_waiting,
};

/// Runs one session with clients of which some vanish; returns how it went for the server.
async fn run(
    server: &mut SecaggServer,
    plan: &SessionPlan,
    vanishing: impl Fn(u32) -> Option<Observer>,
) -> Outcome {
    let clients: Vec<_> = (0..plan.clients).map(|i| client(server, plan, i, vanishing(i))).collect();
    let outcome = tokio::time::timeout(HANG, server.run_session(plan)).await.expect("hangs").unwrap();
    for (index, client) in (0..).zip(clients) {
        match (client.await.unwrap(), vanishing(index).is_some()) {
            (Ok(_), _) | (Err(Error::Left), true) => {}
            (Err(Error::Refused(_)), _) if outcome.result.is_err() => {}
            (Err(error), _) => panic!("client {index}: {error}"),
        }
    }
    outcome
}

fn vanish_at(clients: &'static [u32], gone: fn(Step) -> bool) -> impl Fn(u32) -> Option<Observer> {
    move |index| {
        clients.contains(&index).then(|| -> Observer {
            Box::new(move |step| if gone(step) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
    }
}

fn nobody(_: u32) -> Option<Observer> {
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complete_graph_gives_the_exact_sum() {
    let (mut server, plan) = (server(Limits::default()), plan(6, Graph::Complete));
    let outcome = run(&mut server, &plan, nobody).await;
    assert_exact(&plan, outcome.result.as_ref().unwrap());
    assert!(outcome.dropped.is_empty());
    assert_eq!(outcome.members.len(), 6);
    assert_eq!(outcome.stages.len(), 4);
    assert!(outcome.stages.iter().all(|stage| (stage.expected, stage.answered) == (6, 6)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_regular_graph_gives_the_exact_sum() {
    let (mut server, plan) = (server(Limits::default()), plan(12, Graph::Regular { degree: 6 }));
    let outcome = run(&mut server, &plan, vanish_at(&[3], |step| step == Step::Sent(Round::ShareKeys))).await;
    assert_exact(&plan, outcome.result.as_ref().unwrap());
    assert_eq!(outcome.result.unwrap().survivors.len(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_clients_than_handshakes_still_all_join() {
    let mut server = server(Limits { handshakes: 2, ..Limits::default() });
    let plan = plan(20, Graph::Regular { degree: 6 });
    let outcome = run(&mut server, &plan, nobody).await;
    assert_eq!(outcome.result.unwrap().survivors.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_follow_each_other_on_one_endpoint() {
    let (mut server, plan) = (server(Limits::default()), plan(4, Graph::Complete));
    for _ in 0..3 {
        let outcome = run(&mut server, &plan, nobody).await;
        assert_exact(&plan, &outcome.result.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bytes_are_those_of_the_frames() {
    let (mut server, plan) = (server(Limits::default()), plan(4, Graph::Complete));
    let clients: Vec<_> = (0..4).map(|index| client(&server, &plan, index, None)).collect();
    let outcome = server.run_session(&plan).await.unwrap();
    for client in clients {
        let participation = client.await.unwrap().unwrap();
        assert_eq!(participation.traffic, outcome.traffic_of(participation.id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_active_suite_gives_the_exact_sum_in_five_stages() {
    let (mut server, plan) = (server(Limits::default()), active_plan(7));
    let outcome = run(&mut server, &plan, nobody).await;
    assert_exact(&plan, outcome.result.as_ref().unwrap());
    assert_eq!(outcome.stages.len(), 5);
    assert!(outcome.stages.iter().all(|stage| (stage.expected, stage.answered) == (7, 7)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pinned_suite_gives_the_exact_sum_although_clients_vanish() {
    let (mut server, plan) = (server(Limits::default()), pinned_plan(10));
    let outcome = run(&mut server, &plan, nobody).await;
    assert_exact(&plan, outcome.result.as_ref().unwrap());
    assert!(outcome.stages.iter().all(|stage| (stage.expected, stage.answered) == (10, 10)));
    // Two leave every client three of its five holders, whomever it has drawn.
    for (gone, survivors) in [
        ((|step| step == Step::Received(Round::ShareKeys)) as fn(Step) -> bool, 8),
        (|step| step == Step::Sent(Round::ShareKeys), 8),
        (|step| step == Step::Received(Round::ConsistencyCheck), 10),
    ] {
        let outcome = run(&mut server, &plan, vanish_at(&[2, 7], gone)).await;
        let aggregate = outcome.result.as_ref().unwrap();
        assert_exact(&plan, aggregate);
        assert_eq!(aggregate.survivors.len(), survivors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_may_vanish_around_consistency_check() {
    use Round::{ConsistencyCheck, Unmasking};
    let (mut server, plan) = (server(Limits::default()), active_plan(7));
    for (gone, missed_in) in [
        ((|step| step == Step::Received(ConsistencyCheck)) as fn(Step) -> bool, ConsistencyCheck),
        (|step| step == Step::Sent(ConsistencyCheck), Unmasking),
    ] {
        let outcome = run(&mut server, &plan, vanish_at(&[1, 4], gone)).await;
        let aggregate = outcome.result.as_ref().unwrap();
        assert_exact(&plan, aggregate);
        assert_eq!(aggregate.survivors.len(), 7);
        assert_eq!(outcome.dropped.keys().copied().collect::<Vec<_>>(), [missed_in]);
    }
}

/// A client that has no credentials leaves; so does one that has, from a session that asks for no signature.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_signs_always_or_never() {
    for (plan, mut other) in
        [(active_plan(5), plan(5, Graph::Complete)), (plan(5, Graph::Complete), active_plan(5))]
    {
        let mut server = server(Limits::default());
        let others: Vec<_> = (1..5).map(|index| client(&server, &plan, index, None)).collect();
        other.task = plan.task.clone();
        let odd = client(&server, &other, 0, None);
        assert_exact(&plan, &server.run_session(&plan).await.unwrap().result.unwrap());
        assert!(matches!(odd.await.unwrap(), Err(Error::Abort(Abort::Refused(_)))));
        for client in others {
            client.await.unwrap().unwrap();
        }
    }
}

/// Has clients 1 and 4 vanish, and checks who survives and in which round the others were missed.
async fn check_vanishing(gone: fn(Step) -> bool, survivors: usize, missed_in: Option<Round>) {
    let (mut server, plan) = (server(Limits::default()), plan(7, Graph::Complete));
    let outcome = run(&mut server, &plan, vanish_at(&[1, 4], gone)).await;
    let aggregate = outcome.result.as_ref().unwrap();
    assert_exact(&plan, aggregate);
    assert_eq!(aggregate.survivors.len(), survivors);
    let missed: Vec<_> = outcome.dropped.keys().copied().collect();
    assert_eq!(missed, missed_in.into_iter().collect::<Vec<_>>());
    let counted = aggregate.dropped.iter().filter(|(_, ids)| !ids.is_empty());
    assert!(counted.eq(outcome.dropped.iter()), "the core has missed the same clients");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_may_vanish_around_advertise_keys() {
    use Round::{AdvertiseKeys, ShareKeys};
    check_vanishing(|step| step == Step::Received(AdvertiseKeys), 5, Some(AdvertiseKeys)).await;
    check_vanishing(|step| step == Step::Sent(AdvertiseKeys), 5, Some(ShareKeys)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_may_vanish_around_share_keys() {
    use Round::{MaskedInputCollection, ShareKeys};
    check_vanishing(|step| step == Step::Received(ShareKeys), 5, Some(ShareKeys)).await;
    check_vanishing(|step| step == Step::Sent(ShareKeys), 5, Some(MaskedInputCollection)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_may_vanish_around_masked_input_collection() {
    use Round::{MaskedInputCollection, Unmasking};
    check_vanishing(|step| step == Step::Received(MaskedInputCollection), 5, Some(MaskedInputCollection))
        .await;
    check_vanishing(|step| step == Step::Sent(MaskedInputCollection), 7, Some(Unmasking)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_may_vanish_around_unmasking() {
    check_vanishing(|step| step == Step::Received(Round::Unmasking), 7, Some(Round::Unmasking)).await;
    check_vanishing(|step| step == Step::Sent(Round::Unmasking), 7, None).await;
}

fn halfway(step: Step) -> bool {
    match step {
        Step::Sending { round, sent, total } => round == Round::MaskedInputCollection && sent * 2 >= total,
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_killed_in_mid_upload_is_not_in_the_sum() {
    let mut server = server(Limits::default());
    let mut plan = plan(6, Graph::Complete);
    plan.vectors[0] = VectorSpec::new("weights", 300_000, 40);
    let outcome = run(&mut server, &plan, vanish_at(&[2], halfway)).await;
    let aggregate = outcome.result.as_ref().unwrap();
    assert_exact(&plan, aggregate);
    assert_eq!(aggregate.survivors.len(), 5);
    let sent = |id| outcome.traffic[id][&Round::MaskedInputCollection].up;
    let (killed, whole) = (&outcome.dropped[&Round::MaskedInputCollection][0], &aggregate.survivors[0]);
    assert!(sent(killed) < sent(whole), "only a part of the upload has come");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_share_less_memory_than_any_of_them_needs() {
    let mut server = server(Limits { staging_bytes: 64 << 10, ..Limits::default() });
    let mut plan = plan(5, Graph::Complete);
    plan.vectors[0] = VectorSpec::new("weights", 300_000, 20);
    let outcome = run(&mut server, &plan, nobody).await;
    assert_exact(&plan, &outcome.result.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_threshold_nothing_is_released_and_everybody_is_told() {
    three_of_six_are_too_few(plan(6, Graph::Complete)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_minimum_of_survivors_nothing_is_released_and_everybody_is_told() {
    let (threshold, minimum_survivors) = (secagg_transport::Threshold::Fixed(2), Some(4));
    three_of_six_are_too_few(SessionPlan { threshold, minimum_survivors, ..plan(6, Graph::Complete) }).await;
}

async fn three_of_six_are_too_few(plan: SessionPlan) {
    let mut server = server(Limits::default());
    let gone = |step| step == Step::Received(Round::MaskedInputCollection);
    let clients: Vec<_> = (0..6).map(|i| client(&server, &plan, i, vanish_at(&[0, 1, 2], gone)(i))).collect();
    let outcome = server.run_session(&plan).await.unwrap();
    assert!(matches!(outcome.result, Err(Abort::TooFew { round: Round::MaskedInputCollection, .. })));
    assert_eq!(outcome.dropped[&Round::MaskedInputCollection].len(), 3);
    for (index, client) in (0..).zip(clients) {
        match client.await.unwrap() {
            Err(Error::Left) => assert!(index < 3),
            Err(Error::Refused(Status::Protocol(128))) => assert!(index >= 3),
            other => panic!("client {index}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn training_runs_while_keys_are_exchanged() {
    let (mut server, plan) = (server(Limits::default()), plan(3, Graph::Complete));
    let mut others: Vec<_> = (1..3).map(|index| client(&server, &plan, index, None)).collect();
    // This client's input is there only after ShareKeys has been answered: if its session waited
    // for the input first, it would wait for ever.
    let (keys_sent, keys_are_sent) = tokio::sync::oneshot::channel();
    let mut keys_sent = Some(keys_sent);
    let first = SecaggClient::join(server.local_address(), server.pin(), &name(0), loopback(), HANG)
        .await
        .unwrap()
        .observe(move |step| {
            if step == Step::Sent(Round::ShareKeys) {
                keys_sent.take().unwrap().send(()).unwrap();
            }
            ControlFlow::Continue(())
        });
    let training = plan.clone();
    others.push(tokio::spawn(first.run_session(Policy::default(), [9; 32], move |_| async move {
        keys_are_sent.await?;
        Ok::<Input, tokio::sync::oneshot::error::RecvError>(support::input(&training, 0))
    })));
    let outcome = server.run_session(&plan).await.unwrap();
    assert_exact(&plan, &outcome.result.unwrap());
    for client in others {
        client.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_clients_go_on_waiting_for_the_next_try() {
    let (mut server, mut plan) = (server(Limits::default()), plan(3, Graph::Complete));
    plan.policy.minimum_clients = 3;
    let first = client(&server, &plan, 0, None);
    until_waiting(&mut server, &plan, 1).await;
    plan.policy.join_deadline = Duration::from_millis(100);
    match server.run_session(&plan).await {
        Err(Error::TooFewJoined { joined: 1, minimum: 3 }) => {}
        other => panic!("{other:?}"),
    }
    plan.policy.join_deadline = HANG;
    let clients = [first, client(&server, &plan, 1, None), client(&server, &plan, 2, None)];
    assert_exact(&plan, &server.run_session(&plan).await.unwrap().result.unwrap());
    for client in clients {
        client.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_starts_at_the_join_deadline_with_those_who_came() {
    let (mut server, mut plan) = (server(Limits::default()), plan(9, Graph::Complete));
    let clients: Vec<_> = (0..4).map(|index| client(&server, &plan, index, None)).collect();
    until_waiting(&mut server, &plan, 4).await;
    plan.policy.join_deadline = Duration::from_millis(100);
    let outcome = server.run_session(&plan).await.unwrap();
    assert_exact(&plan, &outcome.result.unwrap());
    assert_eq!(outcome.members.len(), 4);
    for client in clients {
        client.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_client_takes_the_place_of_one_with_the_same_name() {
    let (mut server, plan) = (server(Limits::default()), plan(3, Graph::Complete));
    let older = client(&server, &plan, 0, None);
    until_waiting(&mut server, &plan, 1).await;
    let newer = client(&server, &plan, 0, None);
    assert!(matches!(older.await.unwrap(), Err(Error::Refused(Status::Replaced))));
    let others = [client(&server, &plan, 1, None), client(&server, &plan, 2, None)];
    assert_exact(&plan, &server.run_session(&plan).await.unwrap().result.unwrap());
    newer.await.unwrap().unwrap();
    for client in others {
        client.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_refuses_a_cohort_below_its_policy() {
    let (mut server, plan) = (server(Limits::default()), plan(4, Graph::Complete));
    let others: Vec<_> = (1..4).map(|index| client(&server, &plan, index, None)).collect();
    let careful =
        SecaggClient::join(server.local_address(), server.pin(), &name(0), loopback(), HANG).await.unwrap();
    let policy = Policy { minimum_clients: 5, ..Policy::default() };
    let careful = tokio::spawn(careful.run_session(policy, [1; 32], |_| async {
        Err::<Input, _>(std::io::Error::other("no input must be asked for"))
    }));
    let outcome = server.run_session(&plan).await.unwrap();
    assert_exact(&plan, &outcome.result.unwrap());
    assert!(matches!(careful.await.unwrap(), Err(Error::Abort(Abort::Refused(_)))));
    for client in others {
        client.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_refuses_another_task_than_the_one_it_knows() {
    let (mut server, plan) = (server(Limits::default()), plan(4, Graph::Complete));
    let others: Vec<_> = (1..4).map(|index| client(&server, &plan, index, None)).collect();
    let careful =
        SecaggClient::join(server.local_address(), server.pin(), &name(0), loopback(), HANG).await.unwrap();
    let policy = Policy { task: Some([3; 32]), ..Policy::default() };
    let careful = tokio::spawn(careful.run_session(policy, [1; 32], |_| async {
        Err::<Input, _>(std::io::Error::other("no input must be asked for"))
    }));
    assert_exact(&plan, &server.run_session(&plan).await.unwrap().result.unwrap());
    assert!(matches!(careful.await.unwrap(), Err(Error::WrongTask)));
    for client in others {
        client.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_cannot_be_run_is_the_callers_mistake() {
    let (mut server, mut plan) = (server(Limits::default()), plan(3, Graph::Complete));
    plan.threshold = secagg_transport::Threshold::Fixed(7);
    let clients: Vec<_> = (0..3).map(|index| client(&server, &plan, index, None)).collect();
    assert!(matches!(server.run_session(&plan).await, Err(Error::Misuse(_))));
    for client in clients {
        assert!(matches!(client.await.unwrap(), Err(Error::Refused(Status::Failed))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_wait_are_told_of_a_shutdown() {
    let (mut server, plan) = (server(Limits::default()), plan(3, Graph::Complete));
    let (address, pin) = (server.local_address(), server.pin());
    let waiting = SecaggClient::join(address, pin, &name(0), loopback(), HANG).await.unwrap();
    let waiting = tokio::spawn(
        waiting.run_session(Policy::default(), [1; 32], |_| async { Ok::<_, Error>(Input::new()) }),
    );
    until_waiting(&mut server, &plan, 1).await;
    server.shutdown().await;
    assert!(matches!(waiting.await.unwrap(), Err(Error::Refused(Status::ShuttingDown))));
}
