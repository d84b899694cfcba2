import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { requestAuthentication } from '../../flows/ciba/request.ts';
import type { Target } from '../../flows/server/target.ts';
import { printable } from '../../output/printable.ts';
import { CIBA_GRANT } from '../../protocol/definitions/grants/ciba.ts';
import { REQUESTS } from '../../protocol/definitions/requests.ts';
import { connect } from '../../session/connect.ts';
import { findIssuer, requireIssuer } from '../../session/issuer.ts';
import { resolveMetadata } from '../../session/metadata.ts';
import { parseCount, parseSeconds } from '../../session/option-values.ts';
import { readReuse, reuseOrRequest } from '../../session/reuse.ts';
import { openSession, printResult, storageName } from '../../session/session.ts';
import { printTokens } from '../../session/token-output.ts';
import { runUntilSignal } from '../../session/until-signal.ts';
import { CibaSteps } from '../../steps/ciba-steps.ts';
import { TokenSteps } from '../../steps/token-steps.ts';
import {
  type CibaRequestFlags,
  namesRule,
  type PollFlags,
  readDeviceOptions,
  readPendingErrors,
  readRequest,
} from './options.ts';
import { describePollCommand, reportFlow } from './report-flow.ts';
import { startOwnSandbox } from './sandbox.ts';

export async function runStart(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command);
  const { ctx, settings, reporter } = session;
  const flags = command.opts<PollFlags & { device?: true }>();
  const deadline = parseSeconds(flags.deadline, '--deadline');
  const interval = parseSeconds(flags.interval, '--interval');
  const minTtl = readReuse(session, command);
  const { startCiba } = await import('../../flows/ciba/start.ts');
  const sandbox = findIssuer(settings) === undefined ? await startOwnSandbox(session, command) : undefined;
  try {
    const request = await readRequest(session, {
      ...(sandbox && settings.get('loginHint') === undefined && { loginHint: sandbox.user }),
      ...command.opts<CibaRequestFlags>(),
    });
    const wantsDevice = flags.device === true || namesRule(command);
    const device = sandbox?.device ?? (wantsDevice ? readDeviceOptions(session, command) : undefined);
    const where = sandbox ? 'sandbox' : session.profileName ? `profile ${session.profileName}` : 'no profile';
    const steps = new CibaSteps(reporter);
    const connected = () => (sandbox ? sandbox.connect() : connect(session, { keepTokens: flags.keep }));
    const start = (target: Target) => {
      reporter.header(`oauthctl ciba · ${where} · ${target.metadata.issuer} · poll`);
      return reportFlow(session, steps, () =>
        startCiba(
          ctx,
          {
            target,
            request,
            interval,
            deadlineMs: deadline === undefined ? undefined : deadline * 1000,
            pendingErrors: readPendingErrors(session).errors,
            device: device && { ...device, metadata: target.metadata },
          },
          steps.report,
        ),
      );
    };
    // Nothing of the sandbox is kept.
    const { tokens, idToken } =
      minTtl === undefined || sandbox
        ? await start(await connected())
        : await reuseOrRequest(
            session,
            {
              minTtl,
              grantType: CIBA_GRANT.grantType,
              definitions: REQUESTS.backchannel_authentication,
              values: { ...request },
              connect: connected,
              request: start,
            },
            new TokenSteps(reporter).report,
          );
    await printTokens(session, tokens, idToken);
  } finally {
    await sandbox?.close();
  }
}

export async function runRequest(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command);
  const interval = parseSeconds(command.opts<PollFlags>().interval, '--interval');
  const request = await readRequest(session, command.opts<CibaRequestFlags>());
  const { errors: pendingErrors } = readPendingErrors(session);
  const steps = new CibaSteps(session.reporter);
  const target = await connect(session);
  const acknowledged = await reportFlow(session, steps, () =>
    requestAuthentication(session.ctx, { target, request, interval, pendingErrors }, steps.report),
  );
  const { json, auth_req_id, expires_in } = acknowledged.acknowledgement;
  printResult(session, json, () => {
    const shown = { ...json, auth_req_id: session.ctx.redactor.text(auth_req_id) };
    return `${Object.entries(shown)
      .map(([name, value]) => `${printable(name).padEnd(14)} ${printable(String(value))}`)
      .join('\n')}\n\nGo on with: ${describePollCommand(pendingErrors)} (within ${expires_in} s)\n`;
  });
}

export async function runPoll(base: Context, command: Command, id: string | undefined): Promise<void> {
  const session = await openSession(base, command);
  const { ctx } = session;
  const flags = command.opts<PollFlags>();
  const interval = parseSeconds(flags.interval, '--interval');
  const deadline = parseSeconds(flags.deadline, '--deadline');
  const pending = readPendingErrors(session);
  const { pollPendingRequest } = await import('../../flows/ciba/pending-request.ts');
  const options = {
    target: await connect(session, { keepTokens: flags.keep }),
    owner: storageName(session),
    authReqId: id === '-' ? await ctx.secret('-') : id,
    interval,
    deadlineMs: deadline === undefined ? undefined : deadline * 1000,
    once: flags.once,
    pendingErrors: pending.isOwn ? pending.errors : undefined,
    defaultPendingErrors: pending.errors,
  };
  ctx.redactor.know(options.authReqId);
  const steps = new CibaSteps(session.reporter);
  const { tokens, idToken } = await reportFlow(session, steps, () =>
    pollPendingRequest(ctx, options, steps.report),
  );
  await printTokens(session, tokens, idToken);
}

export async function runDeviceCommand(base: Context, command: Command): Promise<void> {
  const session = await openSession(base, command);
  const { ctx, settings, reporter } = session;
  const { count, anyIssuer } = command.opts<{ count?: string; anyIssuer?: true }>();
  const options = readDeviceOptions(session, command);
  if (options.after === 'pending') {
    throw new UsageError('after_pending_elsewhere', '--after pending needs the client in the same process', {
      hint: 'Use it with "oauthctl ciba start --device"; here --after takes seconds.',
    });
  }
  const { runDevice } = await import('../../flows/ciba/device.ts');
  if (!anyIssuer) requireIssuer(settings, 'the issuer of the delegations');
  const metadata = anyIssuer ? undefined : await resolveMetadata(session);
  if (anyIssuer) reporter.warning('delegations of any issuer are taken, and their bearers are not verified');
  const device = {
    ...options,
    after: undefined,
    metadata,
    count: parseCount(count, '--count', { min: 1, max: 999_999 }),
  };
  const result = await runUntilSignal('device', () => runDevice(ctx, device, new CibaSteps(reporter).report));
  const [failure] = result.failures;
  if (failure) throw failure;
  printResult(session, { delegations: result.delegations, results: result.results }, () => '');
}
