import Stripe from 'stripe';

export const stripe = new Stripe(process.env.STRIPE_SECRET_KEY!, {
  timeout: 15_000,
  maxNetworkRetries: 1,
  telemetry: false,
});

/** What trying again cannot mend: the card is declined, or the request is wrong. */
export function isFatal(error: unknown): error is Stripe.errors.StripeError {
  return (
    error instanceof Stripe.errors.StripeCardError || error instanceof Stripe.errors.StripeInvalidRequestError
  );
}
