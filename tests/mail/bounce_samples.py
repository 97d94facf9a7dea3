"""Mails that come back, in the form of the servers that write them. All addresses are made up."""

from __future__ import annotations

from collections.abc import Callable

OUR_MAIL = """\
Return-Path: <bounces@petition.example.org>
Received: from site (localhost [127.0.0.1])
 by mail.petition.example.org (Postfix) with ESMTP id 4XyZ;
 Tue, 3 Mar 2026 12:00:00 +0000 (UTC)
From: Petition <petition@example.org>
To: ada@example.org
Subject: Confirm your signature
Date: Tue, 03 Mar 2026 12:00:00 +0000
Message-ID: {message_id}
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"
"""

POSTFIX = """\
Return-Path: <>
Received: by mail.petition.example.org (Postfix)
 id 9A1B2C; Tue,  3 Mar 2026 12:00:03 +0000 (UTC)
Date: Tue,  3 Mar 2026 12:00:03 +0000 (UTC)
From: MAILER-DAEMON@mail.petition.example.org (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: bounces@petition.example.org
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="4XyZ.1772539203/mail.petition.example.org"
Message-Id: <20260303120003.9A1B2C@mail.petition.example.org>

This is a MIME-encapsulated message.

--4XyZ.1772539203/mail.petition.example.org
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mail.petition.example.org.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

<ada@example.org>: host mx.example.org[192.0.2.25] said: 550 5.1.1
    <ada@example.org>: Recipient address rejected: User unknown (in reply to
    RCPT TO command)

--4XyZ.1772539203/mail.petition.example.org
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.petition.example.org
X-Postfix-Queue-ID: 9A1B2C
X-Postfix-Sender: rfc822; bounces@petition.example.org
Arrival-Date: Tue,  3 Mar 2026 12:00:00 +0000 (UTC)

Final-Recipient: rfc822; ada@example.org
Original-Recipient: rfc822;ada@example.org
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.org
Diagnostic-Code: smtp; 550 5.1.1 <ada@example.org>: Recipient address rejected:
    User unknown

--4XyZ.1772539203/mail.petition.example.org
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

{our_mail}
--4XyZ.1772539203/mail.petition.example.org--
"""

POSTFIX_DELAY = (
    POSTFIX.replace("Action: failed\nStatus: 5.1.1", "Action: delayed\nStatus: 4.4.1")
    .replace("550 5.1.1 <ada@example.org>: Recipient address rejected:\n    User unknown", "connect to mx.example.org: Connection timed out")
    .replace("Undelivered Mail Returned to Sender", "Delayed Mail (still being retried)")
)  # fmt: skip

POSTFIX_GIVEN_UP = POSTFIX.replace("Status: 5.1.1", "Status: 4.4.1").replace(
    "550 5.1.1 <ada@example.org>: Recipient address rejected:\n    User unknown",
    "connect to mx.example.org: Connection timed out",
)

EXIM = """\
Return-path: <>
Received: from Debian-exim by mail.petition.example.org with local (Exim 4.97)
 id 1rgABC-000001-AB
 for bounces@petition.example.org;
 Tue, 03 Mar 2026 12:00:05 +0000
X-Failed-Recipients: ada@example.org
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mail.petition.example.org>
To: bounces@petition.example.org
References: {message_id}
Content-Type: multipart/report; report-type=delivery-status; boundary=1772539205-eximdsn-1
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1rgABC-000001-AB@mail.petition.example.org>
Date: Tue, 03 Mar 2026 12:00:05 +0000

--1772539205-eximdsn-1
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ada@example.org
    host mx.example.org [192.0.2.25]
    SMTP error from remote mail server after RCPT TO:<ada@example.org>:
    550 No such user here

--1772539205-eximdsn-1
Content-type: message/delivery-status

Reporting-MTA: dns; mail.petition.example.org

Action: failed
Final-Recipient: rfc822;ada@example.org
Status: 5.0.0
Remote-MTA: dns; mx.example.org
Diagnostic-Code: smtp; 550 No such user here

--1772539205-eximdsn-1
Content-type: message/rfc822

{our_mail}
--1772539205-eximdsn-1--
"""

EXIM_TEXT = """\
Return-path: <>
X-Failed-Recipients: ada@example.org
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@old.example.org>
To: bounces@petition.example.org
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1old-000001-AB@old.example.org>

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ada@example.org
    SMTP error from remote mail server after RCPT TO:<ada@example.org>:
    host mx.example.org [192.0.2.25]: 550 5.2.1 mailbox disabled

------ This is a copy of the message, including all the headers. ------

{our_mail}
4.1.1 is not why
"""

QMAIL_TEXT = """\
Return-Path: <>
From: MAILER-DAEMON@qmail.example.org
To: bounces@petition.example.org
Subject: failure notice

Hi. This is the qmail-send program at qmail.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ada@example.org>:
192.0.2.25 does not like recipient.
Remote host said: 550 sorry, no mailbox here by that name. (#5.1.1)
Giving up on 192.0.2.25.

--- Below this line is a copy of the message.

{our_mail}
"""

EXCHANGE = """\
From: <postmaster@example.org>
To: bounces@petition.example.org
Date: Tue, 3 Mar 2026 12:00:09 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="ddf2e6f5-4c3b-4f0e-9a7b-000000000001"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: en-US
Message-ID: <0b1c2d3e-0000@AM0PR00MB0000.eurprd00.prod.example.org>
In-Reply-To: {message_id}
References: {message_id}
Subject: Undeliverable: Confirm your signature
Auto-Submitted: auto-replied
MIME-Version: 1.0
Return-Path: <>

--ddf2e6f5-4c3b-4f0e-9a7b-000000000001
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="ddf2e6f5-4c3b-4f0e-9a7b-000000000002"

--ddf2e6f5-4c3b-4f0e-9a7b-000000000002
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Delivery has failed to these recipients or groups:

ada@example.org<mailto:ada@example.org>
The email address you entered couldn't be found.

--ddf2e6f5-4c3b-4f0e-9a7b-000000000002
Content-Type: text/html; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

<html><body>Delivery has failed to these recipients or groups:</body></html>

--ddf2e6f5-4c3b-4f0e-9a7b-000000000002--

--ddf2e6f5-4c3b-4f0e-9a7b-000000000001
Content-Type: message/delivery-status

Reporting-MTA: dns;AM0PR00MB0000.eurprd00.prod.example.org
Received-From-MTA: dns;mail.petition.example.org
Arrival-Date: Tue, 3 Mar 2026 12:00:08 +0000

Final-Recipient: rfc822;ada@example.org
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ada@example.org not found by SMTP address lookup
X-Display-Name: ada@example.org

--ddf2e6f5-4c3b-4f0e-9a7b-000000000001
Content-Type: message/rfc822

{our_mail}
--ddf2e6f5-4c3b-4f0e-9a7b-000000000001--
"""

GMAIL = """\
Return-Path: <>
Received: by 2002:a05:0000:0 with SMTP id x1; Tue, 03 Mar 2026 04:00:12 -0800 (PST)
Content-Type: multipart/report; boundary="000000000000aaaabbbb"; report-type=delivery-status
To: bounces@petition.example.org
Auto-Submitted: auto-replied
X-Failed-Recipients: ada@example.org
From: Mail Delivery Subsystem <mailer-daemon@googlemail.example.org>
Date: Tue, 03 Mar 2026 04:00:12 -0800 (PST)
Subject: Delivery Status Notification (Failure)
References: {message_id}
In-Reply-To: {message_id}
Message-ID: <69a6c0dc.000@mx.googlemail.example.org>

--000000000000aaaabbbb
Content-Type: multipart/related; boundary="000000000000ccccdddd"

--000000000000ccccdddd
Content-Type: multipart/alternative; boundary="000000000000eeeeffff"

--000000000000eeeeffff
Content-Type: text/plain; charset="UTF-8"

** Message not delivered **

There was a problem delivering your message to ada@example.org. See the technical
details below, or try resending in a few minutes.

The response from the remote server was:
552-5.2.2 The email account that you tried to reach is over quota.

--000000000000eeeeffff--

--000000000000ccccdddd--

--000000000000aaaabbbb
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.example.org
Arrival-Date: Tue, 03 Mar 2026 04:00:11 -0800 (PST)
X-Original-Message-ID: {message_id}

Final-Recipient: rfc822; ada@example.org
Action: failed
Status: 5.2.2
Remote-MTA: dns; gmail-smtp-in.example.org. (192.0.2.27, the server for the domain example.org.)
Diagnostic-Code: smtp; 552-5.2.2 The email account that you tried to reach is over quota.
Last-Attempt-Date: Tue, 03 Mar 2026 04:00:12 -0800 (PST)

--000000000000aaaabbbb
Content-Type: message/rfc822

{our_mail}
--000000000000aaaabbbb--
"""

VACATION = """\
Return-Path: <>
From: Ada Fictional <ada@example.org>
To: bounces@petition.example.org
Subject: Out of office: Confirm your signature
Auto-Submitted: auto-replied (vacation)
X-Autoreply: yes
Precedence: bulk
In-Reply-To: {message_id}
References: {message_id}

I am on holiday until 5.1.1 and read mail in 550 hours.
"""

READ_RECEIPT = """\
From: Ada Fictional <ada@example.org>
To: bounces@petition.example.org
Subject: Read: Confirm your signature
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="rr"

--rr
Content-Type: text/plain

Your message was read.

--rr
Content-Type: message/disposition-notification

Final-Recipient: rfc822; ada@example.org
Original-Message-ID: {message_id}
Disposition: manual-action/MDN-sent-manually; displayed

--rr--
"""

COMPLAINT = READ_RECEIPT.replace("disposition-notification", "feedback-report")

DELIVERED = POSTFIX.replace("Action: failed\nStatus: 5.1.1", "Action: relayed\nStatus: 2.0.0")

FROM_A_PERSON = """\
From: Grace Fictional <grace@example.org>
To: bounces@petition.example.org
Subject: Re: Confirm your signature
In-Reply-To: {message_id}

Why do you say 550 5.1.1? I wrote to postmaster.
> Message-ID: {message_id}
"""

MAILER_WITHOUT_A_REASON = """\
From: postmaster@example.org
To: bounces@petition.example.org
Subject: Your mail

We thought about it.
Message-ID: {message_id}
"""

NOT_BOUNCES = {
    "a holiday note": VACATION,
    "a read receipt": READ_RECEIPT,
    "a complaint": COMPLAINT,
    "news that it arrived": DELIVERED,
    "a person's answer": FROM_A_PERSON,
    "a mailer's words without a code": MAILER_WITHOUT_A_REASON,
}

Bounce = Callable[[str], bytes]


def fill(sample: str, message_id: str) -> bytes:
    """A sample about our mail with this Message-ID, as it comes through a pipe."""
    ours = OUR_MAIL.replace("{message_id}", message_id)
    return sample.replace("{our_mail}", ours).replace("{message_id}", message_id).encode()
