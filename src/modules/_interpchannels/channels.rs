//! The channels of the process, without objects.
//!
//! ```text
//!            send ends                      items                     receive ends
//!   interpreter 0  open     ┐   ┌────────┬───┬────────┐   ┌   interpreter 1  released
//!   interpreter 1  released ┘──►│ newest │ … │ oldest │──►└   interpreter 2  open
//!                               └────────┴───┴────────┘
//!                                 └ Waiting, on the stack of a thread that sends and waits
//! ```
//!
//! An interpreter is associated with an end when it first uses it. A channel is open as long as nobody is associated with
//! it or one end is open; a closing one takes no more items, and is closed when it is empty.
//!
//! C1: under the lock no Python code runs and no object is made or dropped.
//! C2: an item's `waiting` is alive while the item is in its channel, and afterwards until it is settled.
//! C3: a closed channel has no items and no ends.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use hognose_allocators::{NoMemory, Raw, TryVec};

use crate::modules::xi::{Data, Fallback, Fifo};
use crate::sync::{Locked, futex};

/// What becomes of an item whose sender ends: 1 it goes; 2, 3 the receiver is told.
pub const UNBOUND_REMOVE: i32 = 1;
/// The largest of them, and what a channel does when nothing was said.
pub const UNBOUND_REPLACE: i32 = 3;

/// Why something cannot be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// There is no such channel.
    NotFound,
    /// The channel takes part in nothing any more.
    Closed,
    /// The calling interpreter has released the end.
    Released,
    /// The channel was closed before the item was received.
    ClosedMeanwhile,
    /// There is no item.
    Empty,
    /// There are items that nobody has received.
    NotEmpty,
    /// There is no memory.
    NoMemory,
}

impl From<NoMemory> for Refusal {
    fn from(_: NoMemory) -> Refusal {
        Refusal::NoMemory
    }
}

const WAITS: u32 = 0;
/// Out of the channel, not yet made an object.
const TAKEN: u32 = 1;
const RECEIVED: u32 = 2;
const LOST: u32 = 3;

/// A thread that waits until its item is received. It lies on the thread's stack.
pub struct Waiting(AtomicU32);

/// How far an item has got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Somebody may still take it, or does so now.
    Underway,
    /// It is an object of the receiver's.
    Received,
    /// Nobody will get it.
    Lost,
}

impl Waiting {
    /// For an item that is about to be sent.
    pub const fn new() -> Waiting {
        Waiting(AtomicU32::new(WAITS))
    }

    /// How far the item has got.
    pub fn progress(&self) -> Progress {
        match self.0.load(Ordering::Acquire) {
            RECEIVED => Progress::Received,
            LOST => Progress::Lost,
            _ => Progress::Underway,
        }
    }

    /// Waits for news until a time on the monotonic clock. The caller has given the GIL up.
    pub fn wait(&self, deadline: Option<i64>) -> futex::Wake {
        let state = self.0.load(Ordering::Acquire);
        if state == RECEIVED || state == LOST {
            return futex::Wake::Woken;
        }
        futex::wait(&self.0, state, deadline)
    }
}

/// The sender of an item that has left its channel.
pub struct Sender(Option<NonNull<Waiting>>);

impl Sender {
    /// The item was received.
    pub fn received(mut self) {
        self.settle(RECEIVED);
    }

    fn settle(&mut self, state: u32) {
        let Some(waiting) = self.0.take() else { return };
        // SAFETY: C2. The word may be gone once it has its last value: waking takes the address only.
        let word = unsafe { &raw const (*waiting.as_ptr()).0 };
        // SAFETY: as above; nobody else settles it, as the item was taken out once.
        unsafe { (*word).store(state, Ordering::Release) };
        futex::wake(word, 1);
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.settle(LOST);
    }
}

/// What lies in a channel.
pub struct Item {
    /// `None`: its sender has ended.
    pub data: Option<Data>,
    /// What is to become of it when its sender ends.
    pub unbound: i32,
    interp: i64,
    sender: Sender,
}

impl Item {
    /// An item of an interpreter; `waiting` outlives it (C2).
    pub fn new(data: Data, unbound: i32, interp: i64, waiting: Option<&Waiting>) -> Item {
        Item { data: Some(data), unbound, interp, sender: Sender(waiting.map(NonNull::from)) }
    }

    /// The parts of an item that was taken out: what the receiver gets, and who is to be told.
    pub fn into_parts(self) -> (Option<Data>, i32, Sender) {
        (self.data, self.unbound, self.sender)
    }
}

struct End {
    interp: i64,
    open: bool,
}

type Ends = TryVec<End, Raw>;

fn associate(ends: &mut Ends, interp: i64) -> Result<(), Refusal> {
    match ends.iter().find(|end| end.interp == interp) {
        Some(end) if end.open => Ok(()),
        Some(_) => Err(Refusal::Released),
        None => Ok(ends.try_push(End { interp, open: true })?),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    Closing,
    Closed,
}

/// A channel.
pub struct Channel {
    id: i64,
    /// How many ID objects there are.
    objects: usize,
    /// What is done with items of ended senders when the sender does not say.
    pub unbound: i32,
    /// What is done with objects that have no form of their own when the sender does not say.
    pub fallback: Fallback,
    state: State,
    items: Fifo<Item>,
    send: Ends,
    receive: Ends,
}

/// The ends that a call names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// The one that items go in by.
    Send,
    /// The one that they come out by.
    Receive,
    /// Both.
    Both,
}

impl Which {
    /// The one of a number (`as u8`).
    pub fn from_number(number: u8) -> Which {
        [Which::Send, Which::Receive, Which::Both][usize::from(number.min(2))]
    }

    /// Whether the sending end is meant.
    pub fn sends(self) -> bool {
        self != Which::Receive
    }

    /// Whether the receiving end is meant.
    pub fn receives(self) -> bool {
        self != Which::Send
    }
}

/// What is told of a channel.
#[derive(Clone, Copy, Default, Debug)]
pub struct Info {
    /// Items may be sent.
    pub open: bool,
    /// Items may be received only.
    pub closing: bool,
    /// Neither.
    pub closed: bool,
    /// The number of items.
    pub count: usize,
    /// How many interpreters are associated with the sending end only: with an open one, with a released one.
    pub send: [usize; 2],
    /// The same for the receiving end.
    pub receive: [usize; 2],
    /// With both ends: open, the receiving one released, the sending one released, both released.
    pub both: [usize; 4],
    /// The calling interpreter's ends: open, released.
    pub own_send: [bool; 2],
    /// The same for the receiving end.
    pub own_receive: [bool; 2],
}

impl Channel {
    fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Whether the channel takes items. The lock is held.
    pub fn check_open(&self) -> Result<(), Refusal> {
        if self.state == State::Open { Ok(()) } else { Err(Refusal::Closed) }
    }

    /// The number of items.
    pub fn count(&self) -> usize {
        self.items.len()
    }

    /// Puts an item in.
    pub fn send(&mut self, interp: i64, item: &mut Option<Item>) -> Result<(), Refusal> {
        self.check_open()?;
        associate(&mut self.send, interp)?;
        Ok(self.items.push(item)?)
    }

    /// Takes the oldest item out. Its sender waits on until it is told.
    pub fn receive(&mut self, interp: i64) -> Result<Item, Refusal> {
        associate(&mut self.receive, interp)?;
        let Some(item) = self.items.take() else {
            return Err(Refusal::Empty);
        };
        if let Some(waiting) = item.sender.0 {
            // SAFETY: C2.
            unsafe { waiting.as_ref() }.0.store(TAKEN, Ordering::Release);
        }
        self.close_if_drained();
        Ok(item)
    }

    /// Takes an item back that its sender waits for, if nobody has taken it.
    pub fn withdraw(&mut self, waiting: &Waiting) -> Option<Item> {
        let place = NonNull::from(waiting);
        let item = self.items.take_where(|item| item.sender.0 == Some(place));
        self.close_if_drained();
        item
    }

    fn close_if_drained(&mut self) {
        if self.state == State::Closing && self.items.len() == 0 {
            self.set_closed();
        }
    }

    /// C3, but for the items, which the caller takes out.
    fn set_closed(&mut self) {
        self.state = State::Closed;
        self.send = TryVec::new_in(Raw);
        self.receive = TryVec::new_in(Raw);
    }

    /// Closes ends for all interpreters. What is left in the channel is the caller's to drop.
    pub fn close(&mut self, which: Which, force: bool) -> Result<Fifo<Item>, Refusal> {
        if self.items.len() != 0 && !force {
            if which != Which::Send {
                return Err(Refusal::NotEmpty);
            }
            self.check_open()?;
            self.state = State::Closing;
            return Ok(Fifo::new());
        }
        self.set_closed();
        Ok(core::mem::replace(&mut self.items, Fifo::new()))
    }

    /// Closes ends for one interpreter, which is associated with them from then on. What is left in a channel that
    /// closes with that is the caller's to drop.
    pub fn release(&mut self, interp: i64, which: Which) -> Result<Fifo<Item>, Refusal> {
        // Both places first: either both ends are released or none.
        self.send.try_reserve(1)?;
        self.receive.try_reserve(1)?;
        for (ends, meant) in [(&mut self.send, which.sends()), (&mut self.receive, which.receives())] {
            if !meant {
                continue;
            }
            match ends.iter_mut().find(|end| end.interp == interp) {
                Some(end) => end.open = false,
                None => ends.push_reserved(End { interp, open: false }),
            }
        }
        Ok(self.close_if_released())
    }

    fn close_if_released(&mut self) -> Fifo<Item> {
        let mut ends = self.send.iter().chain(self.receive.iter()).peekable();
        if ends.peek().is_none() || ends.any(|end| end.open) {
            return Fifo::new();
        }
        self.set_closed();
        core::mem::replace(&mut self.items, Fifo::new())
    }

    /// The interpreters with an open end, in `found` as far as there is room; how many there are.
    pub fn interpreters(&self, send: bool, found: &mut TryVec<i64>) -> Result<usize, Refusal> {
        if send {
            self.check_open()?;
        }
        let ends = if send { &self.send } else { &self.receive };
        let open = ends.iter().filter(|end| end.open);
        for end in open.clone().take(found.capacity()) {
            found.push_reserved(end.interp);
        }
        Ok(open.count())
    }

    /// What is told of the channel to an interpreter.
    pub fn info(&self, interp: i64) -> Info {
        let mut info = Info {
            open: self.state == State::Open,
            closing: self.state == State::Closing,
            closed: self.is_closed(),
            count: self.items.len(),
            ..Info::default()
        };
        for end in self.send.iter() {
            if end.interp == interp {
                info.own_send = [end.open, !end.open];
            }
            match self.receive.iter().find(|other| other.interp == end.interp) {
                None => info.send[usize::from(!end.open)] += 1,
                Some(other) => {
                    let index = match (end.open, other.open) {
                        (true, true) => 0,
                        (true, false) => 1,
                        (false, true) => 2,
                        (false, false) => 3,
                    };
                    info.both[index] += 1;
                }
            }
        }
        for end in self.receive.iter() {
            if end.interp == interp {
                info.own_receive = [end.open, !end.open];
            }
            if !self.send.iter().any(|other| other.interp == end.interp) {
                info.receive[usize::from(!end.open)] += 1;
            }
        }
        info
    }
}

/// All of the process.
struct Channels {
    all: TryVec<Channel, Raw>,
    next: i64,
}

static CHANNELS: Locked<Channels> = Locked::new(Channels { all: TryVec::new_in(Raw), next: 0 });

/// Makes a channel with one ID object.
pub fn create(unbound: i32, fallback: Fallback) -> Result<i64, NoMemory> {
    let mut channels = CHANNELS.lock();
    let id = channels.next;
    channels.all.try_push(Channel {
        id,
        objects: 1,
        unbound,
        fallback,
        state: State::Open,
        items: Fifo::new(),
        send: TryVec::new_in(Raw),
        receive: TryVec::new_in(Raw),
    })?;
    channels.next += 1;
    Ok(id)
}

/// What a function makes of a channel, closed or not, under the lock.
pub fn with_any<R>(id: i64, f: impl FnOnce(&mut Channel) -> R) -> Result<R, Refusal> {
    let mut channels = CHANNELS.lock();
    channels.all.iter_mut().find(|channel| channel.id == id).map(f).ok_or(Refusal::NotFound)
}

/// The same for one that is not closed.
pub fn with<R>(id: i64, f: impl FnOnce(&mut Channel) -> Result<R, Refusal>) -> Result<R, Refusal> {
    with_any(id, |channel| if channel.is_closed() { Err(Refusal::Closed) } else { f(channel) })?
}

/// Takes a channel out. Its items are the caller's to drop.
pub fn destroy(id: i64) -> Result<Fifo<Item>, Refusal> {
    let mut channels = CHANNELS.lock();
    let index = channels.all.iter().position(|channel| channel.id == id).ok_or(Refusal::NotFound)?;
    Ok(channels.all.remove(index).items)
}

/// Counts an ID object.
pub fn add_object(id: i64) -> Result<(), Refusal> {
    with_any(id, |channel| channel.objects += 1)
}

/// An ID object is gone; a channel ends with its last one.
pub fn drop_object(id: i64) {
    let left = {
        let mut channels = CHANNELS.lock();
        let Some(index) = channels.all.iter().position(|channel| channel.id == id) else { return };
        let channel = &mut channels.all[index];
        channel.objects = channel.objects.saturating_sub(1);
        if channel.objects != 0 {
            return;
        }
        channels.all.remove(index)
    };
    drop(left);
}

/// A channel's ID on its way: it counts like an object.
pub struct Counted(i64);

impl Counted {
    /// Counts; NotFound when there is no such channel.
    pub fn new(id: i64) -> Result<Counted, Refusal> {
        add_object(id).map(|()| Counted(id))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        drop_object(self.0);
    }
}

/// The first channel that is not closed, of a number of at least `from`.
pub fn next_from(from: i64) -> Option<(i64, i32, Fallback)> {
    let channels = CHANNELS.lock();
    let channel = channels.all.iter().find(|channel| channel.id >= from && !channel.is_closed())?;
    Some((channel.id, channel.unbound, channel.fallback))
}

/// Releases the ends of an interpreter that ends; its items become what was asked for. It has its state attached.
pub fn forget_interpreter(id: i64) {
    // One at a time: what is dropped may give back memory of other interpreters.
    loop {
        let dropped = {
            let mut channels = CHANNELS.lock();
            channels.all.iter_mut().find_map(|channel| {
                let removed = channel.items.take_where(|item| item.interp == id && item.unbound == UNBOUND_REMOVE);
                if removed.is_some() {
                    channel.close_if_drained();
                    return removed;
                }
                let item = channel.items.iter_mut().find(|item| item.interp == id)?;
                item.interp = -1;
                let sender = Sender(item.sender.0.take());
                Some(Item { data: item.data.take(), unbound: 0, interp: -1, sender })
            })
        };
        if dropped.is_none() {
            break;
        }
    }
    loop {
        let left = {
            let mut channels = CHANNELS.lock();
            channels.all.iter_mut().find_map(|channel| {
                let mut ends = channel.send.iter_mut().chain(channel.receive.iter_mut());
                let end = ends.find(|end| end.interp == id && end.open)?;
                end.open = false;
                Some(channel.close_if_released())
            })
        };
        if left.is_none() {
            return;
        }
    }
}

/// Forgets all channels, at the end of the runtime.
pub fn forget_all() {
    let all = {
        let mut channels = CHANNELS.lock();
        channels.next = 0;
        core::mem::take(&mut channels.all)
    };
    drop(all);
}

/// Takes the lock over a fork.
pub fn before_fork() {
    CHANNELS.lock.acquire();
}

/// Gives the lock back in the process that has forked.
pub fn after_fork_in_parent() {
    CHANNELS.lock.release();
}

/// Frees the lock in a forked child. Whoever waited for an item to be received is not there any more.
pub fn after_fork_in_child() {
    // SAFETY: there is no other thread, and the lock is held or was free when the process forked.
    let channels = unsafe { CHANNELS.held() };
    for channel in channels.all.iter_mut() {
        for item in channel.items.iter_mut() {
            item.sender.0 = None;
        }
    }
    CHANNELS.lock.reset();
}
